"""`emollm detect`: pictures, clips and AU files of any detector into samples.jsonl, one sample a person.

    emollm detect photos/ -o samples.jsonl
    emollm detect openface/ -o samples.jsonl --labels labels.csv --label-set dfew7

A clip gives the peak of the expression. What cannot be used is kept aside with its reason; a file that cannot be read
ends the run with exit code 1, after the others have been read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_engine.cluster import HELP, joined
from data_engine.detect.choice import AUTO, CSV, DETECTORS, ORACLE, Choice, choose
from data_engine.detect.detection import Detection
from data_engine.detect.files import Input, find_files
from data_engine.detect.gathering import MIN_CONFIDENCE
from data_engine.detect.labelling import Labeller
from data_engine.detect.onlooker import load_chosen
from data_engine.detect.prosody import AUDIO, Prosody
from data_engine.detect.resuming import settled_files
from data_engine.detect.showing import MAX_TILES, Pictures, check_place, show
from data_engine.detectors import IN_PROCESS
from data_engine.detectors.doors import DOORS, describe
from data_engine.sources.columns import map_file
from data_engine.sources.head import SUFFIXES
from data_engine.sources.labels import check_label_set
from data_engine.sources.source import open_source
from emollm.errors import ConfigError, SourceError
from emollm.stage import Output, add_stage_arguments, positive

NOT_RESOLVED = ("inputs", "limit", "overwrite", "explain", "workers", "ray", "python", "gallery")
"""Options that may change when a run goes on: its result does not."""
MAX_LOOKED_AT = 4
"""Folders of pictures that the manifest names, so that a run over others is not mixed with it."""

EPILOG = """examples:
  emollm detect photos/ -o samples.jsonl                          pictures and clips, by our own detector
  emollm detect photos/ -o samples.jsonl --gallery seen.png       the same, and a picture of what was seen
  emollm detect clips/ -o samples.jsonl --fps 15 --max-faces 1    videos (pip install 'emollm[video]'), GIF, WebP
  emollm detect clips/ -o samples.jsonl --prosody audio           and how people sound: pitch, loudness, rate, pauses
  emollm detect clips/ -o samples.jsonl --prosody voices.csv      the same, as a voice model or somebody tells it
  emollm detect openface/ -o samples.jsonl --labels labels.csv --label-set dfew7
  emollm detect fex.csv -o samples.jsonl --frames all
  emollm detect smiles.csv -o samples.jsonl --detector csv --columns AU12=smile,id=file,kind=probability,scale=0-100
  emollm detect photos/ -o samples.jsonl --detector pyfeat --python feat-env/bin/python
  emollm detect faces/samples.jsonl -o seen/samples.jsonl --detector tiny        rendered faces, as a detector sees them
  emollm detect faces/samples.jsonl -o noisy.jsonl --detector oracle --noise drop=0.1,jitter=0.3
  emollm detect photos/ au/ --explain                             who would read what, and why

A picture or clip that an AU file among the inputs speaks of is not looked at again. Several people in one picture are
a sample each: photo/0, photo/1 …, in a still the largest face first, in a clip the one seen longest.

A table for --prosody has a row a clip and a column a feature, with words or numbers from 0 to 1:
  clip,Sarcasm,Hesitation,pitch
  0001.mp4,0.41,0.12,rising at the end
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the door and return the exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    _check(parser, options)
    check_label_set(options.label_set)
    choice = choose(options.detector, options.columns, options.noise)
    if options.gallery is not None and not options.explain:
        check_place(options.gallery, options.output, options.inputs)
    files = find_files(options.inputs, set(_beside(options)), choice.kinds)
    if options.frames == "all" and any(file.kind == "samples" for file in files):
        raise ConfigError("--frames all: samples that are measured anew stay one sample each; leave it out")
    return explain(files, choice) if options.explain else detect(files, choice, options)


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error where options do not go together."""
    if options.output is None and not options.explain:
        parser.error("-o is missing: name the file to write, such as -o samples.jsonl")
    if (options.detector == CSV) != (options.columns is not None):
        parser.error("--detector csv and --columns go together")
    if options.prosody == AUDIO and options.detector == ORACLE:
        parser.error("--prosody audio: the oracle opens no clips; use another detector, or a file")
    if options.noise is not None and options.detector != ORACLE:
        parser.error("--noise goes with --detector oracle")
    if (options.python or options.set) and options.detector not in DOORS:
        parser.error(f"--python and --set go with the detectors of other environments: {', '.join(DOORS)}")
    if options.ray is not None and options.detector not in (AUTO, *IN_PROCESS):
        parser.error(f"--ray goes with the detectors of this process: {', '.join(IN_PROCESS)}")
    if options.min_confidence is not None and not 0.0 <= options.min_confidence <= 1.0:
        parser.error(f"--min-confidence {options.min_confidence:g} is outside 0 to 1")
    if not options.fps > 0.0:
        parser.error(f"--fps {options.fps:g} is not above 0")
    if not options.min_face >= 0.0:
        parser.error(f"--min-face {options.min_face:g} is below 0")
    if options.media_root is not None and not options.media_root.is_dir():
        parser.error(f"--media-root {options.media_root}: there is no such folder")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emollm detect",
        description="Measure faces in pictures and clips, or read what any detector wrote of them, into samples.jsonl.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help=f"pictures, clips, AU files ({' '.join(SUFFIXES)}), folders of any of them, or a samples.jsonl",
    )
    add_stage_arguments(parser, required=False)
    parser.add_argument(
        "--detector",
        choices=DETECTORS,
        default="auto",
        metavar="NAME",
        help="auto (default): AU files by their content, pictures and clips by tiny. Or one of: "
        + ", ".join(DETECTORS[1:]),
    )
    parser.add_argument(
        "--gallery",
        type=Path,
        metavar="FILE.png",
        help=f"draw what was seen: the picture, box, landmarks and AUs of the first {MAX_TILES} samples (.png .jpg)",
    )
    parser.add_argument("--explain", action="store_true", help="say who would read each file and why, then stop")
    _add_choices(parser.add_argument_group("what becomes a sample"))
    _add_media(parser.add_argument_group("pictures and clips"))
    _add_labels(parser.add_argument_group("labels and voices"))
    others = parser.add_argument_group("other detectors")
    others.add_argument("--columns", metavar="MAP", help="for csv: AU12=column,…,kind=…, or a JSON file of the same")
    others.add_argument("--noise", metavar="RATES", help="for oracle: drop=0.1,spurious=0.05,jitter=0.3,confuse=0.1")
    others.add_argument("--python", type=Path, metavar="PATH", help="the Python, or its folder, that has the detector")
    others.add_argument(
        "--set", action="append", type=_setting, metavar="NAME=VALUE", help="an option of the detector; --explain lists"
    )
    return parser


def _add_choices(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--frames",
        choices=("peak", "all"),
        default="peak",
        help="one sample a person at the peak of the expression (default), or one a usable row",
    )
    group.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help=f"faces below it are not used, 0 to 1 (default: {MIN_CONFIDENCE['AU file']} in AU files, where they have "
        f"a confidence, {MIN_CONFIDENCE['media']} in pictures and clips; tiny tells none below 0.7)",
    )
    group.add_argument("--max-faces", type=positive, metavar="N", help="the N largest faces of a picture or frame")
    group.add_argument(
        "--min-face", type=float, default=0.0, metavar="PX", help="no faces with a shorter side below it (default: 0)"
    )


def _add_media(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--fps", type=float, default=10.0, metavar="F", help="frames of a clip a second (default: 10)")
    group.add_argument(
        "--stride", type=positive, metavar="N", help="every N-th frame instead; other detectors know this one alone"
    )
    group.add_argument("--workers", type=positive, metavar="N", help="processes (default: all cores)")
    group.add_argument("--ray", metavar="ADDRESS", help=f"{HELP}, and has to see the files under the same paths")
    group.add_argument(
        "--media-root", type=Path, metavar="DIR", help="where the pictures and clips lie (default: the folder of -o)"
    )


def _add_labels(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--labels", type=Path, metavar="FILE", help="names and labels: a table, JSON or JSON Lines")
    group.add_argument("--label-pattern", metavar="REGEX", help="the label in the file's name, as (?P<label>…)")
    group.add_argument("--label-set", metavar="NAME", help="the set of the labels, such as basic7 or dfew7")
    group.add_argument(
        "--prosody",
        type=Path,
        metavar="FILE|audio",
        help="how people sound, for the teachers of generate: a table or JSON of clips and features, or measured from "
        "the sound of the clips that show one person (pip install 'emollm[video]')",
    )


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return name, value


def explain(files: Sequence[Input], choice: Choice) -> int:
    """Print who would read each file and why. Returns 1 when an AU file is not recognised."""
    code = 0
    for file in (file for file in files if file.kind == "AU file"):
        try:
            source, reason = open_source(file.path, file.name, choice.dialect)
        except SourceError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 1
        else:
            print(f"{file.path}: {source.dialect.name}: {reason}")
    for kind, what in (("media", "pictures and clips"), ("samples", "files of samples")):
        of_kind = [file for file in files if file.kind == kind]
        if of_kind:
            more = " …" if len(of_kind) > 1 else ""
            print(f"{len(of_kind):,} {what} ({of_kind[0].path}{more}): {_who(choice)}")
    return code


def _who(choice: Choice) -> str:
    """Who looks at media in this run, with what a user should know."""
    if choice.door is not None:
        return describe(choice.door)
    if choice.in_process is None:
        return f"the oracle: the exact AUs of each sample, with errors ({choice.noise})"
    detector = load_chosen(choice).detector
    return (
        f"{detector.name} {detector.version} ({detector.weights}): emollm's own detector, in this process. Its weights "
        "have only ever seen rendered faces and have the licence of the code; data_engine/detectors/tiny/CARD.md says "
        "what it can and cannot do"
    )


def detect(files: Sequence[Input], choice: Choice, options: argparse.Namespace) -> int:
    """Read the files into the output and return the exit code."""
    if any(file.kind == "media" and file.path.resolve() == options.output.resolve() for file in files):
        raise ConfigError(f"-o {options.output}: is an input of this run; name another file")
    # A file that cannot be read, or a detector that cannot be loaded, leaves no empty output behind.
    if len(files) == 1 and files[0].kind == "AU file":
        open_source(files[0].path, files[0].name, choice.dialect)
    is_needed = all(file.kind != "AU file" for file in files)
    loaded = load_chosen(choice) if choice.in_process and is_needed else None
    labeller = Labeller(options.labels, options.label_pattern, options.label_set)
    prosody = Prosody(options.prosody)
    _hint_at_samples(options)
    settled = {} if options.overwrite else settled_files(options.output)
    with (
        joined(options.ray, options.workers),
        Output(
            options.output,
            stage="detect",
            options=_resolved(files, options),
            inputs=_hashed(files, options),
            overwrite=options.overwrite,
        ) as out,
    ):
        detection = Detection(out, options, labeller, prosody, choice, loaded, settled)
        written: set[str] = set()
        for sample in detection.samples(files):
            if detection.is_enough(len(written)):
                break
            if sample.id in written:
                detection.refuse(sample)
                continue
            written.add(sample.id)
            if not out.is_done(sample.id):
                out.write(sample)
            if detection.is_enough(len(written)):
                break
        out.note("limit", options.limit)
        if options.limit is None:
            labeller.report(out)
        prosody.report(out, is_whole=options.limit is None)
    if options.gallery is not None:
        show(options.gallery, out, Pictures(files, options.output.parent, options.media_root))
    return out.exit_code


def _hint_at_samples(options: argparse.Namespace) -> None:
    """Say it where a folder has samples that know more of its pictures than the pictures show."""
    for folder in options.inputs:
        samples = folder / "samples.jsonl"
        if samples.with_name("samples.manifest.json").exists() and samples.exists() and samples != options.output:
            print(f"{samples}: knows these pictures; as INPUT it keeps their labels and truth", file=sys.stderr)


def _resolved(files: Sequence[Input], options: argparse.Namespace) -> dict[str, object]:
    """The options that decide what is written, and which folders of pictures were looked at."""
    resolved = {key: value for key, value in vars(options).items() if key not in NOT_RESOLVED}
    folders = {(file.folder or file.path.parent).resolve().name for file in files if file.kind == "media"}
    return resolved | ({"pictures": sorted(folders)[:MAX_LOOKED_AT]} if folders else {})


def _hashed(files: Sequence[Input], options: argparse.Namespace) -> list[Path]:
    """The files whose digests the manifest holds; those of pictures and clips stand in their samples."""
    return [file.path for file in files if file.kind != "media"] + _beside(options)


def _beside(options: argparse.Namespace) -> list[Path]:
    """The files that say more about the inputs and are none themselves."""
    prosody = None if options.prosody == AUDIO else options.prosody
    return [path for path in (options.labels, prosody, map_file(options.columns)) if path]
