package io.weft.dataplane.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SizesTest {

    @Test
    void aBoundIsStillInItsBucketAndOneMoreByteIsNot() {
        double[] bounds = Sizes.bounds();
        assertThat(bounds[0]).isEqualTo(64);
        assertThat(bounds[bounds.length - 1]).isEqualTo(256 << 20);
        for (int i = 0; i < bounds.length; i++) {
            assertThat(Sizes.bucket((long) bounds[i])).isEqualTo(i);
            assertThat(Sizes.bucket((long) bounds[i] + 1)).isEqualTo(i + 1);
        }
        assertThat(Sizes.bucket(0)).isZero();
        assertThat(Sizes.bucket(Long.MAX_VALUE)).isEqualTo(bounds.length);
    }

    @Test
    void oneThatStandsForSeveralCountsAsManyTimes() {
        Sizes sizes = new Sizes();
        sizes.add(100, 16);
        sizes.add(10, 1);
        assertThat(sizes.snapshot().count()).isEqualTo(17);
        assertThat(sizes.snapshot().sumBytes()).isEqualTo(1_610);
    }

    /** As anybody may write it into a header. */
    @Test
    void aLengthThatNoBodyHasDoesNotMakeTheSumOverflow() {
        Sizes sizes = new Sizes();
        sizes.add(100, 1);
        for (int i = 0; i < 100; i++) {
            long before = sizes.snapshot().sumBytes();
            sizes.add(Long.MAX_VALUE, 16);
            assertThat(sizes.snapshot().sumBytes()).isGreaterThan(before);
        }
        assertThat(sizes.snapshot().count()).isEqualTo(1_601);
    }
}
