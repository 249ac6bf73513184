"""The pieces that a BERT reads and writes, and the three files that hold them: vocab.txt, tokenizer.json, tokenizer_config.json."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from bertsmith.errors import DataError
from bertsmith.files import sha256_of, write_aside, write_json
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.text.learning import learn_pieces

PADDING, UNKNOWN, FIRST, SEPARATOR, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUED = "##"
LONGEST_WORD = 100  # characters; a longer word is unknown (google-research/bert, tokenization.py)
VOCAB_TXT, TOKENIZER_JSON, TOKENIZER_CONFIG = "vocab.txt", "tokenizer.json", "tokenizer_config.json"
_LISTED = 5
_NO_OBJECT = Phrase("it is no JSON object, or nested too deep", "不是 JSON 对象，或嵌套过深")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces in the order of their ids, and how a text is made ready for them.

    Args:
        pieces: piece i has id i.
        lowercase: fold case.
        strip_accents: drop accents; None does as `lowercase` does, as in Google's models.
        split_chinese: every Chinese character stands alone, as in all of Google's models.
    """

    pieces: tuple[str, ...]
    lowercase: bool
    strip_accents: bool | None = None
    split_chinese: bool = True

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """The id of each piece."""
        return {piece: i for i, piece in enumerate(self.pieces)}

    @property
    def size(self) -> int:
        """How many pieces there are."""
        return len(self.pieces)

    @property
    def padding(self) -> int:
        """The id of [PAD]."""
        return self.ids[PADDING]

    @property
    def unknown(self) -> int:
        """The id of [UNK], which stands for a word that no pieces make."""
        return self.ids[UNKNOWN]

    @property
    def first(self) -> int:
        """The id of [CLS], which begins every sequence."""
        return self.ids[FIRST]

    @property
    def separator(self) -> int:
        """The id of [SEP], which ends every part of a sequence."""
        return self.ids[SEPARATOR]

    @property
    def mask(self) -> int:
        """The id of [MASK]."""
        return self.ids[MASK]

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The ids of the five special pieces."""
        return frozenset(self.ids[piece] for piece in SPECIAL)

    @cached_property
    def starts_word(self) -> NDArray[np.bool_]:
        """(V,) whether a piece begins a word: neither `##…` nor special, but for [UNK], which is a whole word."""
        starts = np.array([not piece.startswith(CONTINUED) for piece in self.pieces])
        starts[list(self.special_ids - {self.unknown})] = False
        return starts

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the pieces and of how texts are made ready for them, in hex."""
        how = (self.lowercase, self.strip_accents, self.split_chinese)
        return sha256_of("\n".join([*self.pieces, repr(how)]).encode())

    def normalizer(self) -> normalizers.Normalizer:
        """What makes a text ready: control characters dropped, Chinese characters set apart, case and accents folded."""
        return normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=self.split_chinese,
            strip_accents=self.strip_accents,
            lowercase=self.lowercase,
        )

    def tokenizer(self) -> Tokenizer:
        """A new tokenizer of the `tokenizers` library; special pieces in a text are plain characters to it."""
        model = models.WordPiece(
            dict(self.ids),
            unk_token=UNKNOWN,
            continuing_subword_prefix=CONTINUED,
            max_input_chars_per_word=LONGEST_WORD,
        )
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = self.normalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece(prefix=CONTINUED)
        return tokenizer

    def marked_tokenizer(self) -> Tokenizer:
        """The same, but a special piece in a text is that piece, and sequences are framed by [CLS] and [SEP] when asked."""
        tokenizer = self.tokenizer()
        tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in SPECIAL])
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{FIRST}:0 $A:0 {SEPARATOR}:0",
            pair=f"{FIRST}:0 $A:0 {SEPARATOR}:0 $B:1 {SEPARATOR}:1",
            special_tokens=[(FIRST, self.first), (SEPARATOR, self.separator)],
        )
        return tokenizer

    def write(self, folder: Path) -> None:
        """Write vocab.txt, tokenizer.json and tokenizer_config.json, which transformers' AutoTokenizer opens.

        Raises:
            MachineError: the disk is full or the folder may not be written.
        """
        with write_aside(folder / VOCAB_TXT) as file:
            file.write("".join(piece + "\n" for piece in self.pieces))
        with write_aside(folder / TOKENIZER_JSON) as file:
            file.write(self.marked_tokenizer().to_str(pretty=True) + "\n")
        config = {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": self.lowercase,
            "strip_accents": self.strip_accents,
            "tokenize_chinese_chars": self.split_chinese,
            "pad_token": PADDING,
            "unk_token": UNKNOWN,
            "cls_token": FIRST,
            "sep_token": SEPARATOR,
            "mask_token": MASK,
        }
        write_json(folder / TOKENIZER_CONFIG, config)


def learn_vocabulary(
    texts: Iterable[str], *, size: int, lowercase: bool, min_frequency: int, listen: Listener = ignore
) -> Vocabulary:
    """Learn a WordPiece vocabulary; the same texts give the same pieces in the same order.

    Args:
        texts: sentences or longer; read once, in bounded memory.
        size: number of pieces, the five special ones included.
        lowercase: fold case and strip accents.
        min_frequency: a piece must occur this often.
        listen: told the progress, the characters without a piece, and when the text yields fewer pieces than asked.

    Raises:
        DataError: the texts hold no word.
    """
    blank = Vocabulary(SPECIAL, lowercase)
    pieces = learn_pieces(texts, blank.normalizer(), SPECIAL, size=size, min_frequency=min_frequency, listen=listen)
    return Vocabulary(pieces, lowercase)


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary.

    Args:
        path: vocab.txt, tokenizer.json, or a folder with one of them (tokenizer.json first: it says more). How case and accents
            are treated is read from tokenizer.json and from tokenizer_config.json beside it; a bare vocab.txt is
            lowercase when no piece holds a capital letter.

    Raises:
        DataError: no such file, not text, empty, a piece twice, a special piece missing, not WordPiece; all faults at once. Or
            tokenizer_config.json is damaged.
    """
    if path.is_dir():
        found = [path / name for name in (TOKENIZER_JSON, VOCAB_TXT) if (path / name).is_file()]
        if not found:
            raise _no_vocabulary(path)
        path = found[0]
    if not path.is_file():
        raise _no_vocabulary(path)
    text = _text(path)
    pieces, settings = _from_json(text, path) if path.suffix == ".json" else (_from_lines(text), {})
    settings |= _told_beside(path.parent / TOKENIZER_CONFIG)
    _check(pieces, path)
    lowercase = settings.get("lowercase")
    if lowercase is None:
        marks = ("[", "<")  # [unused1], and the <S> and <T> of Google's uncased vocabularies
        lowercase = not any(piece != piece.lower() for piece in pieces if not piece.startswith(marks))
    return Vocabulary(tuple(pieces), bool(lowercase), settings.get("strip_accents"), settings.get("split_chinese", True))


def _no_vocabulary(path: Path) -> DataError:
    return DataError(
        "no-vocabulary",
        "there is no vocabulary here",
        where=path,
        do="give a vocab.txt, a tokenizer.json or a folder that holds one; `bertsmith vocab` learns one from raw text",
    )


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_a_text(path, error.start) from error
    if "\0" in text:
        raise _not_a_text(path, len(text[: text.index("\0")].encode()))
    if not text.strip():
        raise DataError(
            "empty-vocabulary", "the vocabulary is empty", where=path, do="give a file with a piece a line, or a tokenizer.json"
        )
    return text


def _not_a_text(path: Path, offset: int) -> DataError:
    return DataError(
        "vocabulary-not-text",
        "the byte at offset {offset} is not UTF-8 text",
        where=path,
        do="give a vocab.txt or a tokenizer.json; weights and pickles hold no vocabulary",
        offset=offset,
    )


def _from_lines(text: str) -> list[str]:
    """The pieces of a vocab.txt, a line each; rarer line ends than those of Unix and Windows may be pieces themselves."""
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] in ("", "\r") else lines)]


def _from_json(text: str, path: Path) -> tuple[list[str], dict[str, Any]]:
    """The pieces of a tokenizer.json, tokens that were added behind them included, and what its normalizer says."""
    try:
        content = json.loads(text)
        model, normalizer = content["model"], content.get("normalizer") or {}
        says = normalizer.get("type") == "BertNormalizer"
        if model.get("type", "WordPiece") != "WordPiece" or model.get("continuing_subword_prefix", CONTINUED) != CONTINUED:
            raise _not_wordpiece(path, model.get("type", "WordPiece"))
        ids = {**model["vocab"], **{token["content"]: token["id"] for token in content.get("added_tokens") or []}}
        pieces = sorted(ids, key=ids.__getitem__)
        "".join(pieces).encode()  # half a character cannot be written
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _not_wordpiece(path, "") from error
    if [ids[piece] for piece in pieces] != list(range(len(pieces))):
        raise DataError(
            "vocabulary-holes",
            "the ids of the {size} pieces are not 0 to {last}",
            where=path,
            do="give the vocab.txt of the same model",
            size=len(pieces),
            last=len(pieces) - 1,
        )
    names = {"lowercase": "lowercase", "strip_accents": "strip_accents", "handle_chinese_chars": "split_chinese"}
    return pieces, _settings(normalizer, names, path) if says else {}


def _settings(told: Mapping[str, Any], names: Mapping[str, str], path: Path) -> dict[str, bool]:
    """What an object says under some names, each true, false or null, by our names; nothing for null."""
    for name in names:
        if not isinstance(told.get(name), bool | None):
            reason = Phrase(f"{name} is neither true nor false", f"{name} 既不是 true 也不是 false")
            raise _damaged_settings(path, reason)
    return {ours: told[theirs] for theirs, ours in names.items() if told.get(theirs) is not None}


def _damaged_settings(path: Path, reason: Phrase) -> DataError:
    return DataError(
        "tokenizer-settings",
        "what it says of case and accents cannot be read: {reason}",
        where=path,
        do="take the file from where the model comes from; without it the vocabulary alone decides",
        reason=reason,
    )


def _not_wordpiece(path: Path, kind: str) -> DataError:
    return DataError(
        "not-wordpiece",
        "this is no WordPiece vocabulary {kind}",
        where=path,
        do="give the vocab.txt or tokenizer.json of a BERT; byte-pair and unigram vocabularies belong to other models",
        kind=f"({kind})" if kind else "",
    )


def _told_beside(file: Path) -> dict[str, bool]:
    """What tokenizer_config.json says; nothing where there is none.

    Raises:
        DataError: it is no JSON object, or says something else than true or false.
    """
    if not file.is_file():
        return {}
    try:
        told = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged_settings(file, _NO_OBJECT) from error
    if not isinstance(told, dict):
        raise _damaged_settings(file, _NO_OBJECT)
    names = {"do_lower_case": "lowercase", "strip_accents": "strip_accents", "tokenize_chinese_chars": "split_chinese"}
    return _settings(told, names, file)


def _check(pieces: list[str], path: Path) -> None:
    """Raise all faults of a list of pieces at once."""
    faults = []
    missing = [piece for piece in SPECIAL if piece not in pieces]
    if missing:
        faults.append(
            DataError(
                "special-piece-missing",
                "{missing} missing from the {size} pieces",
                where=path,
                do="give the vocabulary of a BERT; it has {all_special}",
                missing=", ".join(missing),
                size=len(pieces),
                all_special=", ".join(SPECIAL),
            )
        )
    twice = [piece for piece, count in Counter(pieces).items() if count > 1] if len(set(pieces)) < len(pieces) else []
    for piece in twice[:_LISTED]:
        lines = [i + 1 for i, other in enumerate(pieces) if other == piece]
        faults.append(
            DataError(
                "piece-twice",
                "the piece {piece!r} stands on line {line} and on line {other}",
                where=f"{path}:{lines[1]}",
                do="delete one of them; the ids of the pieces behind it move, so a trained model needs its own vocabulary",
                piece=piece,
                line=lines[0],
                other=lines[1],
            )
        )
    if faults:
        raise DataError.all_of(faults)
