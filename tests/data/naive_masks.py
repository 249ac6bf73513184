"""Which tokens are hidden, one sequence and one word after another: lists, no arrays, the draws of `bertsmith.data.masking`."""

from bertsmith.seeds import below, bits, uniform

GRAMS = {"ngram": (0.4, 0.3, 0.2, 0.1), "span": tuple(0.2 * 0.8**k / (1 - 0.8**10) for k in range(10))}


def naive_mask(ids, special, epoch, index, rules, starts=None):
    """The tokens of one sequence with some hidden, and the places and tokens that are to be predicted."""
    budget = max(1, round(len(ids) * rules.share))
    if rules.most is not None:
        budget = min(budget, rules.most)
    words = words_of(ids, special, [True] * len(ids) if rules.unit == "token" else starts)
    order = sorted(words, key=lambda word: (int(bits(rules.seed, "mask", epoch, index, word[0])) >> 17, word[0]))
    if rules.unit == "token":
        chosen = {word[0]: word[0] for word in order[:budget]}
    elif rules.unit == "word":
        chosen = whole_words(order, budget)
    else:
        chosen = runs(
            words, order, budget, GRAMS[rules.unit], lambda place: float(uniform(rules.seed, "run", epoch, index, place))
        )
    shown, places = list(ids), sorted(chosen)
    for place in places:
        decider = chosen[place] if rules.unit == "span" else place
        chance = float(uniform(rules.seed, "replace", epoch, index, decider))
        if chance < rules.replaced:
            shown[place] = rules.mask_id
        elif chance >= rules.replaced + rules.kept:
            shown[place] = int(below(rules.vocab_size, rules.seed, "random piece", epoch, index, place))
    return shown, places, [ids[place] for place in places]


def words_of(ids, special, starts):
    """The words as lists of places; a special token ends one."""
    words, open_word = [], False
    for place, token in enumerate(ids):
        if token in special:
            open_word = False
        elif open_word and not starts[place]:
            words[-1].append(place)
        else:
            words.append([place])
            open_word = True
    return words


def whole_words(order, budget):
    """Google's procedure: words in a random order, one that does not fit is skipped."""
    budget = max(budget, min(map(len, order), default=0))
    chosen = {}
    for word in order:
        if len(chosen) + len(word) <= budget:
            chosen |= {place: place for place in word}
    return chosen


def runs(words, order, budget, shares, chance):
    """Runs of words: each begins at the next word that is not hidden yet and may begin one."""
    budget = max(budget, min(map(len, order), default=0))
    chosen = {}
    for first in order:
        if first[0] in chosen:
            continue
        total, length, drawn = 0.0, 1, chance(first[0])
        for share in shares[:-1]:
            total += share
            length += drawn >= total
        number, place = words.index(first), first[0]
        for word in words[number : number + length]:
            if word[0] != place or word[0] in chosen or len(chosen) + len(word) > budget:
                break
            chosen |= dict.fromkeys(word, first[0])
            place = word[-1] + 1
    return chosen
