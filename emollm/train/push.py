"""Push: a model folder to a repository of the Hugging Face Hub, when and only when it was asked for.

    push(Path("merged"), "lab/face-explainer")       # the token is HF_TOKEN of the environment

A repository that is not there yet is made private: whoever made the model decides who else may have it. HF_ENDPOINT
names another hub.
"""

from __future__ import annotations

import os
from pathlib import Path

from emollm import __version__
from emollm.errors import ConfigError, ModelError

TOKEN = "HF_TOKEN"


def check_push(repo: str) -> None:
    """Raise ConfigError where nothing can be uploaded, before hours go into what would be."""
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ConfigError(f"--push {repo}: is no name of a repository; write OWNER/NAME ({error})") from None
    if "/" not in repo:
        raise ConfigError(f"--push {repo}: whose? write OWNER/{repo}")
    if is_offline_mode():
        raise ConfigError("--push: HF_HUB_OFFLINE is set, which forbids it; unset it")
    if not os.environ.get(TOKEN):
        raise ConfigError(f"--push: needs a token that may write; put it into the environment as {TOKEN}")


def push(folder: Path, repo: str) -> str:
    """Upload a folder and return its address. Raises ModelError with what the hub says, and never with the token."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    check_push(repo)
    token = os.environ[TOKEN]
    api = HfApi(token=token)
    # The parent of the hub's error is that of its HTTP library, which has had several names.
    failure: type[Exception] = HfHubHTTPError.__bases__[0]
    try:
        api.create_repo(repo, private=True, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message=f"Upload by emollm {__version__}",
            ignore_patterns=["*.part"],
        )
    except (failure, OSError, ValueError) as error:
        reason = " ".join(str(error).split()).replace(token, "…")
        raise ModelError(f"{repo}: was not uploaded: {reason[:300]}; {folder} is whole, try again") from None
    return f"{api.endpoint}/{repo}"
