"""Uses: what neither a data set nor a model of ours is for, and whose data it is. Both cards say it in these words."""

from __future__ import annotations

NO_FEELING = """\
A label names the emotion that an *expression is consistent with*. An expression is not a feeling: people feel without
showing and show without feeling, and faces, cultures and situations differ."""

NOT_FOR = """\
**Not for** judging people. In the European Union, AI systems that infer emotions of people at work or in education are
prohibited, but for medical or safety reasons (AI Act, Regulation (EU) 2024/1689, Art. 5(1)(f)). Elsewhere too, nothing
here supports decisions about jobs, marks, credit, insurance, health, policing or borders. Nor is it for recognising who
somebody is: no identity was inferred, and a subject is no more than the name that a data set gives a person, so that
splits can be kept apart."""

BIOMETRIC = """\
**Biometric data.** Pictures of real faces are personal data and can be biometric data (GDPR, Art. 4(14) and Art. 9).
Consent, terms and licences of the sources hold here as they hold there; who withdraws has to be removed here too."""
