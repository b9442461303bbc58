package io.weft.controlplane.port;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
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

    private final List<String> granted = new ArrayList<>();

    private Quota.Waiting waiting(InetAddress who, long amount, String name) {
        return new Quota.Waiting(who, amount, () -> granted.add(name));
    }

    @Test
    void whoWaitsGetsItInOrderAndNobodyWaitsForAnother() {
        Quota quota = new Quota(10, 6);
        assertThat(quota.takeOrWait(waiting(first, 6, "had"))).isTrue();
        assertThat(quota.takeOrWait(waiting(first, 0, "nothing"))).isTrue();
        assertThat(quota.takeOrWait(waiting(first, 5, "large"))).isFalse();
        assertThat(quota.takeOrWait(waiting(first, 1, "behind it"))).isFalse();
        assertThat(quota.takeOrWait(waiting(second, 4, "another's"))).as("has room of its own").isTrue();
        Quota.Waiting impatient = waiting(second, 1, "impatient");
        assertThat(quota.takeOrWait(impatient)).isFalse();
        assertThat(quota.giveUp(impatient)).isTrue();

        quota.giveBack(first, 1);
        assertThat(granted).as("not before the large one").isEmpty();
        quota.giveBack(first, 5);
        assertThat(granted).containsExactly("large", "behind it");
        assertThat(quota.giveUp(impatient)).isFalse();
        quota.giveBack(second, 4);
        assertThat(granted).hasSize(2);
        assertThat(quota.take(second, 4)).isTrue();
    }
}
