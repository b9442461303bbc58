package io.weft.it.comparison;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** What a generator draws from: the same seed, the same case. For one thread. */
final class Draw {
    private final SplittableRandom random;

    Draw(long seed) {
        random = new SplittableRandom(seed);
    }

    /** @param percent 0 to 100 */
    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    /** Both ends can be drawn. */
    int between(int least, int most) {
        return random.nextInt(least, most + 1);
    }

    @SafeVarargs
    final <T> T oneOf(T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    <T> T oneOf(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    <T> List<T> several(int least, int most, Supplier<T> each) {
        List<T> list = new ArrayList<>();
        for (int i = between(least, most); i > 0; i--) {
            list.add(each.get());
        }
        return list;
    }
}
