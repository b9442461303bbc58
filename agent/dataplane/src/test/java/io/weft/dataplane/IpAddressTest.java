package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, 10.1.2.3",
        "255.255.255.255, 255.255.255.255",
        "::1, ::1",
        "::, ::",
        "2001:DB8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:db8::1, 2001:db8::1",
        "fe80:1:2:3:4:5:6:0, fe80:1:2:3:4:5:6:0",
        "1:0:0:2:0:0:0:3, 1:0:0:2::3",
        "1::, 1::",
    })
    void isWrittenTheShortWay(String text, String canonical) {
        assertThat(IpAddress.parse(text)).hasToString(canonical);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", "1..2.3", "a.b.c.d", "1.2.3.4 ", "localhost", "::g", ":::", "[::1]"})
    void whatIsNoLiteralIsNoAddress(String text) {
        assertThat(IpAddress.parse(text)).isNull();
    }

    @Test
    void readsAndWritesEveryAddressAsTheJdkDoes() throws Exception {
        Random random = new Random(11);
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(bytes);
            for (int b = 0; b < bytes.length; b++) {
                bytes[b] = random.nextInt(3) == 0 ? bytes[b] : 0;
            }
            InetAddress address = InetAddress.getByAddress(bytes);

            IpAddress ip = IpAddress.of(address);

            assertThat(IpAddress.parse(address.getHostAddress())).isEqualTo(ip);
            assertThat(InetAddress.getByName(ip.toString())).isEqualTo(address);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, 10.1.0.0, 16, true",
        "10.2.2.3, 10.1.0.0, 16, false",
        "10.1.2.3, 10.1.2.3, 32, true",
        "10.1.2.3, 10.1.2.2, 32, false",
        "10.1.2.3, 10.1.2.2, 31, true",
        "200.1.2.3, 10.1.2.2, 0, true",
        "::1, 0.0.0.0, 0, false",
        "2001:db8::1, 2001:db8::, 64, true",
        "2001:db8:0:0:8000::1, 2001:db8::, 65, false",
        "2001:db8::1, 2001:db8::1, 128, true",
        "2001:db8::1, 2001:db8::, 128, false",
        "2001:db8::1, ::, 0, true",
    })
    void liesInARange(String address, String prefix, int length, boolean within) {
        assertThat(IpAddress.parse(address).startsLike(IpAddress.parse(prefix), length)).isEqualTo(within);
    }
}
