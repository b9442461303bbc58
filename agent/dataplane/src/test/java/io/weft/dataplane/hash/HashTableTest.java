package io.weft.dataplane.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.HashFunction;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.RingHash;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a table must do; that it does what Envoy's does is shown against Envoy itself. */
class HashTableTest {
    private static final int HASHES = 100_000;
    /** What lies between two hashes that a ring of at most 1,024 keys tells apart. */
    private static final long NEAR = 1024;

    static Stream<Function<WeightedKeys, HashTable>> tables() {
        RingHash ring = new RingHash(HashFunction.XX_HASH, 10_000, RingHash.MAX_SIZE, ConsistentHashing.DEFAULT, false);
        return Stream.of(keys -> RingTable.of(keys, ring), keys -> MaglevTable.of(keys, Maglev.DEFAULT));
    }

    private static WeightedKeys keys(double... weights) {
        double sum = Arrays.stream(weights).sum();
        return new WeightedKeys(
                IntStream.range(0, weights.length).mapToObj(i -> "10.0.0." + i + ":80").toArray(String[]::new),
                Arrays.stream(weights).map(weight -> weight / sum).toArray());
    }

    @ParameterizedTest
    @MethodSource("tables")
    void sharesByWeight(Function<WeightedKeys, HashTable> make) {
        HashTable table = make.apply(keys(1, 2, 5));
        int[] hits = new int[3];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < HASHES; i++) {
            hits[table.find(random.nextLong(), 0)]++;
        }

        // A ring of 10,000 points is uneven by a few percent of a share.
        assertThat(hits[0] / (double) HASHES).isCloseTo(0.125, within(0.02));
        assertThat(hits[1] / (double) HASHES).isCloseTo(0.25, within(0.02));
        assertThat(hits[2] / (double) HASHES).isCloseTo(0.625, within(0.02));
    }

    @ParameterizedTest
    @MethodSource("tables")
    void fewHashesMoveWhenOneOfTenGoes(Function<WeightedKeys, HashTable> make) {
        HashTable ten = make.apply(keys(1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
        HashTable nine = make.apply(keys(1, 1, 1, 1, 1, 1, 1, 1, 1));
        SplittableRandom random = new SplittableRandom(2);
        int moved = 0;
        for (int i = 0; i < HASHES; i++) {
            long hash = random.nextLong();
            int before = ten.find(hash, 0);
            moved += before < 9 && nine.find(hash, 0) != before ? 1 : 0;
        }

        // Those that are left get more places, in part each other's; by remainder nine of ten would move.
        assertThat(moved / (double) HASHES).isLessThan(0.12);
    }

    @ParameterizedTest
    @MethodSource("tables")
    void furtherAttemptsFindOthers(Function<WeightedKeys, HashTable> make) {
        HashTable table = make.apply(keys(1, 1, 1, 1));
        SplittableRandom random = new SplittableRandom(3);
        int others = 0;
        for (int i = 0; i < 1_000; i++) {
            long hash = random.nextLong();
            others += table.find(hash, 1) == table.find(hash, 0) ? 0 : 1;
        }

        assertThat(others).isGreaterThan(600);
    }

    @ParameterizedTest
    @MethodSource("tables")
    void withoutKeysNothingIsFound(Function<WeightedKeys, HashTable> make) {
        assertThat(make.apply(keys()).find(42, 0)).isEqualTo(-1);
        assertThat(make.apply(keys()).find(42, 1)).isEqualTo(-1);
    }

    /** Whatever the size of the ring, the starts of its lookups, and hashes near to a point and at either end. */
    @Test
    void aHashOfTheRingBelongsToTheNextPoint() {
        for (int size : new int[] {1, 2, 3, 4, 5, 7, 8, 9, 100, 1_000}) {
            HashTable ring = RingTable.of(
                    keys(IntStream.range(0, size).mapToDouble(i -> 1).toArray()),
                    new RingHash(HashFunction.XX_HASH, size, size, ConsistentHashing.DEFAULT, false));
            NavigableMap<Long, Integer> points = new TreeMap<>(Long::compareUnsigned);
            IntStream.range(0, size).forEach(i -> points.put(XxHash64.hash("10.0.0." + i + ":80_0"), i));
            SplittableRandom random = new SplittableRandom(size);
            LongStream.concat(
                            LongStream.of(0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE),
                            LongStream.concat(
                                    points.keySet().stream().flatMapToLong(point -> LongStream.of(point - NEAR, point, point + NEAR)),
                                    random.longs(1_000)))
                    .forEach(hash -> {
                        Map.Entry<Long, Integer> next = points.ceilingEntry(hash);
                        assertThat(ring.find(hash, 0))
                                .as("%x of %d", hash, points.size())
                                .isEqualTo(next == null ? points.firstEntry().getValue() : next.getValue());
                    });
        }
    }

    @Test
    void theRingIsNoLargerThanAllowed() {
        HashTable ring = RingTable.of(
                keys(1, 1, 1, 1), new RingHash(HashFunction.XX_HASH, 1, 2, ConsistentHashing.DEFAULT, false));

        // Two points for four keys: the first of each pair has one.
        assertThat(IntStream.range(0, 1_000).map(i -> ring.find(XxHash64.hash("" + i), 0)).distinct().sorted())
                .containsExactly(0, 2);
    }

    @Test
    void tablesForMoreThanABytesAndAShortsWorthOfKeys() {
        for (int count : new int[] {256, 257, 65_536, 65_537}) {
            double[] weights = new double[count];
            Arrays.fill(weights, 1);
            HashTable table = MaglevTable.of(keys(weights), new Maglev(131_071, ConsistentHashing.DEFAULT, false));
            boolean[] found = new boolean[count];
            for (long place = 0; place < 131_071; place++) {
                found[table.find(place, 0)] = true;
            }
            assertThat(found).as(count + " keys").doesNotContain(false);
        }
    }
}
