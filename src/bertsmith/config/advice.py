"""What works in a config and is slow or odd. Each finding is a note with a stable code: what it is, an arrow, what to do."""

from collections.abc import Callable

from bertsmith.config.bert import HEAD, BertConfig, head_counts
from bertsmith.config.estimate.parameters import parameters
from bertsmith.messages import Phrase
from bertsmith.progress import Note, warning

ARROW = " → "  # between what a finding says and what to do about it
LANE = 8  # numbers that the matrix units of processors and GPUs take at once, in 16-bit formats
TILE = 64  # width of a tile of the fast matrix kernels
LARGE_DROPOUT = 0.5  # from here more is dropped than kept; assumed to be a slip
USUAL_SPREAD = (0.005, 0.1)  # of first weights; 0.02 in every published BERT, the bounds are assumed
LONG = 2048  # positions, four times the published ones; assumed
_LARGEST, _DEEPEST = (
    10_700_000_000,
    48,
)  # parameters and layers of XLM-R XXL (Goyal 2021), the largest published encoder of text
_HEAD_RANGE = (16, 256)  # widths of a head between the narrowest published one (24) and what fused kernels take


def advice(config: BertConfig) -> list[Note]:
    """Everything in a config that works and is slow or odd, the slow first."""
    found = [finding(config) for finding in _FINDINGS]
    return [*_odd_widths(config), *(note for note in found if note is not None)]


def _odd_widths(config: BertConfig) -> list[Note]:
    return [
        warning(
            "odd-width",
            "{field} {value} is no multiple of {tile}: its matrix products are slow → use {below} or {above}",
            field=name,
            value=value,
            tile=TILE,
            below=value // TILE * TILE or TILE,
            above=(value // TILE + 1) * TILE,
        )
        for name, value in (("hidden_size", config.hidden_size), ("intermediate_size", config.intermediate_size))
        if value % TILE
    ]


def _head_width(config: BertConfig) -> Note | None:
    if _is_usual_head(config.head_width):
        return None
    wide = f"hidden_size {HEAD * config.num_attention_heads}"
    fitting = [heads for heads in head_counts(config.hidden_size) if _is_usual_head(config.hidden_size // heads)]
    heads = f"num_attention_heads {fitting[0]}" if fitting else ""
    return warning(
        "odd-head-width",
        "a head is {width} wide: fast attention kernels want a multiple of {lane} from {least} to {most}, and published BERTs have "
        "64 → use {way}",
        width=config.head_width,
        lane=LANE,
        least=_HEAD_RANGE[0],
        most=_HEAD_RANGE[1],
        way=Phrase(f"{heads} or {wide}", f"{heads} 或 {wide}") if heads else wide,
    )


def _is_usual_head(width: int) -> bool:
    return width % LANE == 0 and _HEAD_RANGE[0] <= width <= _HEAD_RANGE[1]


def _size(config: BertConfig) -> Note | None:
    count = parameters(config).encoder
    if config.num_hidden_layers <= _DEEPEST and count <= _LARGEST:
        return None
    return warning(
        "huge-network",
        "{layers} layers of width {width} have {parameters} parameters, and no published encoder of text has more than {deepest} "
        "layers or {largest} parameters → look for a slip in num_hidden_layers, hidden_size and intermediate_size; large has 24 layers of 1024",
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        parameters=f"{count:,}",
        deepest=_DEEPEST,
        largest=f"{_LARGEST:,}",
    )


def _vocabulary(config: BertConfig) -> Note | None:
    if config.vocab_size % LANE == 0:
        return None
    return warning(
        "odd-vocabulary",
        "vocab_size {size} is no multiple of {lane}: the product over the vocabulary is slower than it could be → for a new model use "
        "{above}, the rows beyond the pieces do no harm; with trained weights leave it",
        size=config.vocab_size,
        lane=LANE,
        above=(config.vocab_size // LANE + 1) * LANE,
    )


def _feed_forward(config: BertConfig) -> Note | None:
    wanted = 4 * config.hidden_size
    if config.intermediate_size == wanted:
        return None
    return warning(
        "odd-feed-forward",
        "intermediate_size {value} is not four times hidden_size, as in every published BERT → use {wanted}, unless you mean it",
        value=config.intermediate_size,
        wanted=wanted,
    )


def _dropout(config: BertConfig) -> Note | None:
    rates = {
        "hidden_dropout_prob": config.hidden_dropout_prob,
        "attention_probs_dropout_prob": config.attention_probs_dropout_prob,
        "classifier_dropout": config.classifier_dropout or 0.0,
    }
    large = [f"{name} {rate:g}" for name, rate in rates.items() if rate >= LARGE_DROPOUT]
    if not large:
        return None
    return warning(
        "large-dropout",
        "{rates} drops as much as it keeps, or more: training hardly learns → use 0.1, or 0 for pretraining",
        rates=", ".join(large),
    )


def _spread(config: BertConfig) -> Note | None:
    low, high = USUAL_SPREAD
    if low <= config.initializer_range <= high:
        return None
    return warning(
        "odd-initializer",
        "initializer_range {value} is far from the 0.02 of every published BERT: training starts badly → use 0.02, or a value from {low} "
        "to {high}",
        value=config.initializer_range,
        low=low,
        high=high,
    )


def _segments(config: BertConfig) -> Note | None:
    if config.type_vocab_size == 2:
        return None
    why = {
        1: Phrase("the two texts of a pair cannot be told apart", "句对的两段文本无法区分"),
        16: Phrase("this is what Google's code takes where a file leaves it out", "这是文件省略它时谷歌代码所取的值"),
    }.get(config.type_vocab_size, Phrase("published BERTs have 2", "已发布的 BERT 都是 2"))
    return warning(
        "odd-segments",
        "type_vocab_size is {value}: {why} → use 2, unless trained weights have another table",
        value=config.type_vocab_size,
        why=why,
    )


def _epsilon(config: BertConfig) -> Note | None:
    if config.layer_norm_eps == 1e-12:
        return None
    return warning(
        "odd-epsilon",
        "layer_norm_eps is {value}, and 1e-12 in every published BERT; RoBERTa has 1e-5 → use 1e-12, unless trained weights were made with "
        "another",
        value=config.layer_norm_eps,
    )


def _positions(config: BertConfig) -> Note | None:
    if config.max_position_embeddings <= LONG:
        return None
    return warning(
        "many-positions",
        "max_position_embeddings is {value}: attention costs the square of the length, and each position needs text of that length to be "
        "learned → use the length of your texts",
        value=config.max_position_embeddings,
    )


_FINDINGS: tuple[Callable[[BertConfig], Note | None], ...] = (
    _size,
    _head_width,
    _vocabulary,
    _feed_forward,
    _dropout,
    _spread,
    _segments,
    _epsilon,
    _positions,
)
