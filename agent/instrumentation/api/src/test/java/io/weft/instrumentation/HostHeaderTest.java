package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostHeaderTest {
    @ParameterizedTest
    @CsvSource({
        "orders, 80, orders",
        "orders, -1, orders",
        "orders, 8080, orders:8080",
        "10.0.0.1, 8080, 10.0.0.1:8080",
        "::1, 80, [::1]",
        "::1, 8080, [::1]:8080",
        "[::1], 8080, [::1]:8080",
        "[fd00::7], -1, [fd00::7]"
    })
    void isAsALibraryWritesIt(String host, int port, String header) {
        assertThat(HostHeader.of(host, port)).isEqualTo(header);
    }
}
