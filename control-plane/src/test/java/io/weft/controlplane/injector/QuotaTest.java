package io.weft.controlplane.injector;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class QuotaTest {

    private final InetAddress first = address(1);
    private final InetAddress second = address(2);
    private final InetAddress third = address(3);

    private static InetAddress address(int last) {
        try {
            return InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) last});
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void noOneTakesAllAndAllTakeNoMoreThanThereIs() {
        Quota quota = new Quota(10, 6);
        assertThat(quota.take(first, 5)).isTrue();
        assertThat(quota.take(first, 2)).as("more than one may have").isFalse();
        assertThat(quota.take(first, 1)).isTrue();
        assertThat(quota.take(second, 5)).as("more than is left").isFalse();
        assertThat(quota.take(second, 4)).isTrue();
        assertThat(quota.take(third, 1)).isFalse();
        assertThat(quota.take(third, 0)).as("nothing is always there").isTrue();

        quota.giveBack(first, 6);
        assertThat(quota.take(third, 6)).isTrue();
        assertThat(quota.take(first, 1)).isFalse();
    }
}
