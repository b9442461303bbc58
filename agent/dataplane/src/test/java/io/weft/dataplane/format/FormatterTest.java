package io.weft.dataplane.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Request;
import io.weft.dataplane.SeededRandomness;
import io.weft.policy.model.Format;
import io.weft.policy.model.Format.Command;
import io.weft.policy.model.Format.Text;
import io.weft.policy.model.FormatOperator;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FormatterTest {
    private static final Instant NOON = Instant.parse("2026-03-04T12:00:05.123456Z");
    private static final ProcessInfo PROCESS = new ProcessInfo(
            Map.of("REGION", "eu"), () -> "box", InstantSource.fixed(NOON), ZoneId.of("+02:00"), new SeededRandomness(1));
    private static final Request REQUEST =
            Request.get("orders:80", "/a?x=1&y=2").with("x-user", "ann").with("content-type", "application/grpc");

    private static final StreamInfo INFO = new StreamInfo() {
        @Override
        public String protocol() {
            return "HTTP/1.1";
        }

        @Override
        public int responseCode() {
            return 503;
        }

        @Override
        public String responseCodeDetails() {
            return "no healthy upstream";
        }

        @Override
        public int responseFlags() {
            return ResponseFlag.UH.bit() | ResponseFlag.URX.bit();
        }

        @Override
        public Instant startTime() {
            return NOON;
        }

        @Override
        public long durationNanos() {
            return 7_900_000;
        }

        @Override
        public long responseBytes() {
            return 42;
        }

        @Override
        public InetSocketAddress upstreamHost() {
            return new InetSocketAddress("10.0.0.7", 8080);
        }

        @Override
        public InetSocketAddress downstreamRemote() {
            return new InetSocketAddress("::1", 4711);
        }

        @Override
        public String upstreamCluster() {
            return "orders";
        }

        @Override
        public String filterState(String key) {
            return key.equals("tenant") ? "blue\"" : null;
        }

        @Override
        public int attemptCount() {
            return 2;
        }
    };

    private static String of(FormatOperator operator, int maxLength, String... arguments) {
        Format format = new Format(List.of(new Text("<"), new Command(operator, List.of(arguments), maxLength), new Text(">")));
        String text = Formatter.of(format, PROCESS).format(REQUEST, Map.of("grpc-status", "14")::get, INFO, "-");
        return text.substring(1, text.length() - 1);
    }

    @Test
    void aQueryParameterIsDecoded() {
        Format format = new Format(List.of(new Command(FormatOperator.QUERY_PARAM, List.of("z"), Integer.MAX_VALUE)));

        assertThat(Formatter.of(format, PROCESS).format(Request.get("orders", "/a?y=1&z=a%20b%2B+&z=c"), null, INFO, "-")).isEqualTo("a b++");
    }

    @ParameterizedTest
    @CsvSource({
        "REQ, x-user, ann",
        "REQ, :path, /a?x=1&y=2",
        "REQ, :method, GET",
        "REQ, :authority, orders:80",
        "REQ, x-none, -",
        "RESP, :status, 503",
        "PATH, NQ, /a",
        "QUERY_PARAM, y, 2",
        "QUERY_PARAMS, , x=1&y=2",
        "PROTOCOL, , HTTP/1.1",
        "RESPONSE_CODE, , 503",
        "RESPONSE_CODE_DETAILS, , no_healthy_upstream",
        "RESPONSE_CODE_DETAILS, ALLOW_WHITESPACES, no healthy upstream",
        "RESPONSE_FLAGS, , 'UH,URX'",
        "RESPONSE_FLAGS_LONG, , 'NoHealthyUpstream,UpstreamRetryLimitExceeded'",
        "GRPC_STATUS, , Unavailable",
        "GRPC_STATUS, SNAKE_STRING, UNAVAILABLE",
        "GRPC_STATUS_NUMBER, , 14",
        "START_TIME, , 2026-03-04T12:00:05.123Z",
        "START_TIME, %Y/%m/%d %H:%M:%S.%3f %s, 2026/03/04 12:00:05.123 1772625605",
        "START_TIME_LOCAL, %F %T %z, 2026-03-04 14:00:05 +0200",
        "DURATION, , 7",
        "RESPONSE_DURATION, , -",
        "BYTES_SENT, , 42",
        "BYTES_RECEIVED, , 0",
        "UPSTREAM_HOST, , 10.0.0.7:8080",
        "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT, , 10.0.0.7",
        "UPSTREAM_REMOTE_PORT, , 8080",
        "UPSTREAM_CLUSTER, , orders",
        "UPSTREAM_REQUEST_ATTEMPT_COUNT, , 2",
        "DOWNSTREAM_REMOTE_ADDRESS, , '[::1]:4711'",
        "DOWNSTREAM_LOCAL_ADDRESS, , -",
        "DOWNSTREAM_PEER_URI_SAN, , -",
        "ROUTE_NAME, , -",
        "HOSTNAME, , box",
        "ENVIRONMENT, REGION, eu",
        "ENVIRONMENT, NONE, -",
        "CONNECTION_ID, , -",
    })
    void operatorsSayWhatEnvoySays(FormatOperator operator, String argument, String expected) {
        assertThat(argument == null ? of(operator, Integer.MAX_VALUE) : of(operator, Integer.MAX_VALUE, argument))
                .isEqualTo(expected);
    }

    @Test
    void theOtherHeaderWhereTheFirstIsNotThere() {
        assertThat(of(FormatOperator.REQ, Integer.MAX_VALUE, "x-none", "x-user")).isEqualTo("ann");
        assertThat(of(FormatOperator.REQ, 2, "x-user")).isEqualTo("an");
    }

    @Test
    void aUniqueIdIsAUuid() {
        String first = of(FormatOperator.UNIQUE_ID, Integer.MAX_VALUE);
        assertThat(first).matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
        assertThat(of(FormatOperator.UNIQUE_ID, Integer.MAX_VALUE)).isNotEqualTo(first);
    }

    @Test
    void textIsTextAndCostsNothing() {
        Formatter text = Formatter.of(Format.of("plain"), PROCESS);
        assertThat(text.format(null, null, null, "-")).isSameAs(text.text());
    }
}
