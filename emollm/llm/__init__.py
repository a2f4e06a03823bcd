"""Language models behind an endpoint: one chat client for teacher and judge, and the ledger that remembers answers.

    with Ledger(Path("asked.jsonl")) as ledger:
        client = Client("https://api.openai.com/v1", "gpt-4o-mini", ledger=ledger, budget=Budget(5.0))
        for sample, reply in in_order(samples, lambda sample: client(question(sample)), within=client):
            ...

    wire             what is asked and answered          client    remembers or pays: ledger, endpoint, accounts
    ledger, entry    every answer, on disk before used   endpoint  asks, and again after trouble; address and key
    pace, ceiling    how many requests, how fast         chat      the protocol's JSON, and what endpoints lack of it
    budget, tokens   prices, the cap, estimates          accounts  what was asked, paid, remembered
    in_order         many at a time, results in order    batch     files for a provider's batch service
    transport        HTTP                                batch_service, handed    batch files there and back
    images           pictures as data URLs               options, asking, batches    who answers, by the command line

Importing this package loads nothing heavy, and no HTTP library before the first request.
"""
