package io.weft.dataplane.balance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LoadReportTest {

    private static LoadReport read(String header, String value) {
        return LoadReport.of(Map.of(header, value)::get);
    }

    @Test
    void nativeHttp() {
        LoadReport report = read("endpoint-load-metrics",
                "TEXT cpu_utilization= 0.3, mem_utilization:0.8 ,application_utilization=0.9,rps_fractional=10.5,eps=1,named_metrics.queue=7");

        assertThat(report.metrics()).isEqualTo(Map.of("cpu_utilization", 0.3, "mem_utilization", 0.8,
                "application_utilization", 0.9, "rps_fractional", 10.5, "eps", 1.0, "named_metrics.queue", 7.0));
    }

    @Test
    void json() {
        LoadReport report = read("endpoint-load-metrics",
                "JSON {\"cpu_utilization\": 0.25, \"rpsFractional\": \"4e1\", \"namedMetrics\": {\"a.b\": 1, \"c\": -2}, \"utilization\": {}}");

        assertThat(report.metrics()).isEqualTo(
                Map.of("cpu_utilization", 0.25, "rps_fractional", 40.0, "named_metrics.a.b", 1.0, "named_metrics.c", -2.0));
    }

    @Test
    void binary() {
        ByteBuffer message = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
        message.put((byte) (1 << 3 | 1)).putDouble(0.5);
        // rps, which is no longer used, and a field of the future.
        message.put((byte) (3 << 3)).put((byte) 0x96).put((byte) 1);
        message.put((byte) (15 << 3 | 5)).putInt(1);
        message.put((byte) (6 << 3 | 1)).putDouble(20);
        byte[] name = "queue".getBytes(StandardCharsets.US_ASCII);
        message.put((byte) (8 << 3 | 2)).put((byte) (2 + name.length + 9));
        message.put((byte) (1 << 3 | 2)).put((byte) name.length).put(name).put((byte) (2 << 3 | 1)).putDouble(3);
        byte[] bytes = new byte[message.flip().remaining()];
        message.get(bytes);

        String base64 = Base64.getEncoder().encodeToString(bytes);
        assertThat(List.of(read("endpoint-load-metrics-bin", base64), read("endpoint-load-metrics", "BIN " + base64)))
                .extracting(LoadReport::metrics)
                .containsOnly(Map.of("cpu_utilization", 0.5, "rps_fractional", 20.0, "named_metrics.queue", 3.0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu_utilization", "cpu_utilization:", "cpu_utilization:x", "cpu_utilization:NaN", "unknown:1",
        "named_metrics.:1", "eps:1,eps:1", ":1", ""})
    void whatIsMalformedIsNoReport(String value) {
        assertThat(read("endpoint-load-metrics", "TEXT " + value)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "eps:1", "text eps=1", "TEXT", "XML <eps/>", "BIN", "BIN ?"})
    void anotherFormatIsNoReport(String value) {
        assertThat(read("endpoint-load-metrics", value)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{}x", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":true}"})
    void malformedJson(String value) {
        assertThat(read("endpoint-load-metrics", "JSON " + value)).isNull();
    }

    @Test
    void ofTwoReportsGrpcsCounts() {
        Map<String, String> headers = new HashMap<>();
        assertThat(LoadReport.of(headers::get)).isNull();
        headers.put("endpoint-load-metrics", "TEXT eps=1");
        assertThat(LoadReport.of(headers::get).errorsPerSecond()).isEqualTo(1);
        headers.put("endpoint-load-metrics-bin", "");
        assertThat(LoadReport.of(headers::get).errorsPerSecond()).isZero();
    }

    @Test
    void noBytesThrow() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            read("endpoint-load-metrics-bin", Base64.getEncoder().encodeToString(bytes));
            String text = new String(bytes, StandardCharsets.ISO_8859_1);
            read("endpoint-load-metrics", text);
            read("endpoint-load-metrics", "TEXT " + text);
            read("endpoint-load-metrics", "JSON {" + text);
            read("endpoint-load-metrics-bin", text);
        }
    }
}
