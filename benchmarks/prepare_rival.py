"""The usual way from text to tokens, for `prepare.py`: datasets.map with the fast tokenizer, then texts grouped to 128, as transformers' run_mlm does."""

import argparse
import resource
import shutil
import tempfile
from itertools import chain
from time import perf_counter
from typing import Any

LENGTH = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text")
    parser.add_argument("vocabulary")
    parser.add_argument("processes", type=int)
    options = parser.parse_args()
    import datasets
    from transformers import AutoTokenizer

    datasets.disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(options.vocabulary)
    cache = tempfile.mkdtemp()  # a fresh one, or the second run would only look up the first

    def tokenize(rows: dict[str, Any]) -> Any:
        return tokenizer(rows["text"], return_special_tokens_mask=True)

    def group(rows: dict[str, Any]) -> dict[str, Any]:
        joined = {key: list(chain(*rows[key])) for key in rows}
        whole = len(joined["input_ids"]) // LENGTH * LENGTH
        return {key: [values[i : i + LENGTH] for i in range(0, whole, LENGTH)] for key, values in joined.items()}

    begin, before = perf_counter(), processor_seconds()
    rows = datasets.load_dataset("text", data_files={"train": options.text}, cache_dir=cache)
    rows = rows.map(tokenize, batched=True, num_proc=options.processes, remove_columns=["text"])
    rows = rows.map(group, batched=True, num_proc=options.processes)
    seconds = perf_counter() - begin
    shutil.rmtree(cache, ignore_errors=True)
    print(seconds, processor_seconds() - before)


def processor_seconds() -> float:
    """Of this process and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


if __name__ == "__main__":
    main()
