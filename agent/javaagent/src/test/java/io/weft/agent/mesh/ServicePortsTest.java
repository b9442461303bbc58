package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.settings.SettingsReader;
import io.weft.dataplane.InboundPorts.PortInfo;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServicePortsTest {
    private static final String ELSEWHERE = "control-plane=grpc://192.0.2.1:5678,service=orders";

    private static ServicePorts of(String argument) {
        return new ServicePorts(((SettingsReader.Valid) SettingsReader.read(new Properties(), Map.of(), argument, Set.of())).settings(), true);
    }

    private static PortInfo port(String address, int port, boolean tls) {
        return new PortInfo("tomcat", new InetSocketAddress(address, port), tls, false);
    }

    @ParameterizedTest
    @CsvSource({
        "control-plane=grpc://192.0.2.1:5678, 192.0.2.7, 8080, false, NO_SERVICE_NAME",
        "'control-plane=grpc://192.0.2.1:5678,service=orders,ports=8080', 192.0.2.7, 8081, false, LEFT_OUT",
        "'control-plane=grpc://192.0.2.1:5678,service=orders,ports=8080', 192.0.2.7, 8080, false,",
        "'control-plane=grpc://192.0.2.1:5678,service=orders', 192.0.2.7, 8443, true, OWN_TLS",
        "'control-plane=grpc://192.0.2.1:5678,service=orders', 127.0.0.1, 8080, false, LOOPBACK_ONLY",
        "'control-plane=grpc://192.0.2.1:5678,service=orders', ::1, 8080, false, LOOPBACK_ONLY",
        "'control-plane=grpc://192.0.2.1:5678,service=orders,address=192.0.2.9', 127.0.0.1, 8080, false,",
        "'control-plane=grpc://127.0.0.1:5678,service=orders', 127.0.0.1, 8080, false,",
        "'control-plane=grpc://192.0.2.1:5678,service=orders', 0.0.0.0, 8080, false,"})
    void whyOthersDoNotHearOfIt(String argument, String address, int port, boolean tls, Unregistered why) {
        assertThat(of(argument).refusal(port(address, port, tls))).isEqualTo(why);
        assertThat(of(argument).test(port(address, port, tls))).isEqualTo(why == null);
    }

    /** What weft.ports leaves out is not asked for what else it has. */
    @Test
    void theFirstReasonCounts() {
        assertThat(of(ELSEWHERE + ",ports=8080").refusal(port("127.0.0.1", 8443, true))).isEqualTo(Unregistered.LEFT_OUT);
        assertThat(of(ELSEWHERE).refusal(port("127.0.0.1", 8443, true))).isEqualTo(Unregistered.OWN_TLS);
    }

    @Test
    void thePageTellsEachReason() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("../../docs/operations.md"));
        assertThat(Arrays.stream(Unregistered.values()).map(reason -> "| `" + reason.name().toLowerCase(Locale.ROOT) + "` |"))
                .allSatisfy(row -> assertThat(lines).anyMatch(line -> line.startsWith(row)));
    }
}
