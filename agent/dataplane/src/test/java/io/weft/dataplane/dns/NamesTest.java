package io.weft.dataplane.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.SeededRandomness;
import io.weft.dataplane.SimulatedTime;
import io.weft.dataplane.dns.Names.Name;
import io.weft.policy.model.Cluster.AddressFamily;
import io.weft.policy.model.Cluster.Resolution;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamesTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Resolution HOW = how(AddressFamily.ALL);
    private static final Name ORDERS = new Name("orders.local", HOW);

    private final SimulatedTime time = new SimulatedTime();
    private final Map<String, List<String>> zone = new HashMap<>();
    private final List<String> asked = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();
    private int changes;
    private final Names names =
            new Names(time, new SeededRandomness(3), (where, fault) -> faults.add(where), () -> changes++);

    private static Resolution how(AddressFamily family) {
        return new Resolution(SECOND.multipliedBy(5), Duration.ZERO, SECOND, SECOND, family);
    }

    private InetAddress[] lookup(String host) throws UnknownHostException {
        asked.add(host);
        if (!zone.containsKey(host)) {
            throw new UnknownHostException(host);
        }
        List<InetAddress> addresses = new ArrayList<>();
        for (String address : zone.get(host)) {
            addresses.add(InetAddress.getByName(address));
        }
        return addresses.toArray(new InetAddress[0]);
    }

    private List<String> known(Name name) {
        return names.addresses(name).stream().map(InetAddress::getHostAddress).toList();
    }

    private void begin() {
        names.by(this::lookup, Runnable::run);
    }

    @Test
    void aNameIsAskedForAgainAndAgain() {
        zone.put("orders.local", List.of("10.0.0.2", "10.0.0.1"));
        names.follow(Set.of(ORDERS));
        assertThat(names.allKnown()).isFalse();
        begin();
        assertThat(names.allKnown()).isTrue();
        assertThat(known(ORDERS)).containsExactly("10.0.0.1", "10.0.0.2");
        assertThat(changes).isEqualTo(1);

        zone.put("orders.local", List.of("10.0.0.1", "10.0.0.2"));
        time.advance(SECOND.multipliedBy(5));
        assertThat(asked).hasSize(2);
        assertThat(changes).as("another order is no news").isEqualTo(1);

        zone.put("orders.local", List.of("10.0.0.3"));
        time.advance(SECOND.multipliedBy(5));
        assertThat(known(ORDERS)).containsExactly("10.0.0.3");
        assertThat(changes).isEqualTo(2);
    }

    @Test
    void theLastGoodAddressesStay() {
        begin();
        zone.put("orders.local", List.of("10.0.0.1"));
        names.follow(Set.of(ORDERS));
        zone.clear();
        time.advance(Duration.ofMinutes(1));
        assertThat(known(ORDERS)).containsExactly("10.0.0.1");
        assertThat(faults).isNotEmpty();

        zone.put("orders.local", List.of("10.0.0.2"));
        time.advance(SECOND);
        assertThat(known(ORDERS)).containsExactly("10.0.0.2");
    }

    @Test
    void aNameThatNobodyKnowsIsKnownToBeSo() {
        begin();
        names.follow(Set.of(ORDERS));
        assertThat(names.allKnown()).isTrue();
        assertThat(known(ORDERS)).isEmpty();
        assertThat(names.preferred(ORDERS)).isEmpty();
    }

    @Test
    void failuresAreAskedForLessAndLessOften() {
        begin();
        Resolution backsOff =
                new Resolution(SECOND.multipliedBy(5), Duration.ZERO, SECOND, SECOND.multipliedBy(60), AddressFamily.ALL);
        names.follow(Set.of(new Name("orders.local", backsOff)));
        time.advance(Duration.ofMinutes(30));
        assertThat(asked).hasSizeBetween(30, 120);
    }

    @Test
    void whatNoPolicyNamesIsForgotten() {
        begin();
        zone.put("orders.local", List.of("10.0.0.1"));
        names.follow(Set.of(ORDERS));
        names.follow(Set.of());
        time.advance(Duration.ofMinutes(1));
        assertThat(asked).hasSize(1);
        assertThat(known(ORDERS)).isEmpty();
        assertThat(time.pending()).isZero();
    }

    @Test
    void theOneThatIsUsedStaysWhileItIsThere() {
        begin();
        zone.put("orders.local", List.of("10.0.0.2", "10.0.0.1"));
        names.follow(Set.of(ORDERS));
        assertThat(names.preferred(ORDERS)).extracting(InetAddress::getHostAddress).containsExactly("10.0.0.2");
        zone.put("orders.local", List.of("10.0.0.1", "10.0.0.2"));
        time.advance(SECOND.multipliedBy(5));
        assertThat(names.preferred(ORDERS)).extracting(InetAddress::getHostAddress).containsExactly("10.0.0.2");
        zone.put("orders.local", List.of("10.0.0.3", "10.0.0.1"));
        time.advance(SECOND.multipliedBy(5));
        assertThat(names.preferred(ORDERS)).extracting(InetAddress::getHostAddress).containsExactly("10.0.0.3");
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO, '0:0:0:0:0:0:0:1'", "V4_ONLY, 10.0.0.1", "V6_ONLY, '0:0:0:0:0:0:0:1'", "V4_PREFERRED, 10.0.0.1",
        "ALL, '0:0:0:0:0:0:0:1;10.0.0.1'"
    })
    void theFamilyIsAsPolicySays(AddressFamily family, String expected) {
        begin();
        zone.put("orders.local", List.of("10.0.0.1", "::1"));
        Name name = new Name("orders.local", how(family));
        names.follow(Set.of(name));
        assertThat(known(name)).containsExactlyInAnyOrder(expected.split(";"));

        zone.put("four.local", List.of("10.0.0.1"));
        Name four = new Name("four.local", how(family));
        names.follow(Set.of(four));
        assertThat(known(four)).hasSize(family == AddressFamily.V6_ONLY ? 0 : 1);
    }
}
