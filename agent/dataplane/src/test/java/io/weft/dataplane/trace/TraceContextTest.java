package io.weft.dataplane.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Request;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.trace.TraceContext.Sampled;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String SPAN = "00f067aa0ba902b7";

    private static Request with(String... headers) {
        Request request = Request.get("orders", "/");
        for (int i = 0; i < headers.length; i += 2) {
            request.with(headers[i], headers[i + 1]);
        }
        return request;
    }

    @ParameterizedTest
    @CsvSource({"00-%s-%s-01,YES", "00-%s-%s-00,NO", "00-%s-%s-03,YES", "00-%s-%s-02,NO", "cc-%s-%s-01,YES", "cc-%s-%s-01-more,YES"})
    void traceparent(String form, Sampled sampled) {
        assertNames(TraceContext.of(with("traceparent", form.formatted(TRACE, SPAN))), sampled);
    }

    /** What nobody keeps goes on as it came: no more of it is read. */
    private static void assertNames(TraceContext context, Sampled sampled) {
        assertThat(context.sampled()).isEqualTo(sampled);
        if (sampled != Sampled.NO) {
            assertThat(context.traceId()).isEqualTo(TRACE);
            assertThat(context.spanId()).isEqualTo(SPAN);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "00", "00-%s-%s", "00-%s-%s-01-more", "00-%s-%s-0", "00-%s-%s-0g", "ff-%s-%s-01", "0G-%s-%s-01", "cc-%s-%s-01more",
        "00-%s_%s-01", "00-00000000000000000000000000000000-%2$s-01", "00-%1$s-0000000000000000-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-%2$s-01",
        "00-%1$s-%2$s-01,00-%1$s-%2$s-01"})
    void aTraceparentThatIsNotValidSaysNothing(String form) {
        TraceContext context = TraceContext.of(with("traceparent", form.formatted(TRACE, SPAN)));
        assertThat(context.isIdentified()).isFalse();
        assertThat(context.sampled()).isEqualTo(Sampled.UNDECIDED);
    }

    @ParameterizedTest
    @CsvSource({"%s-%s-1,YES", "%s-%s-d,YES", "%s-%s-0,NO", "%s-%s,UNDECIDED", "%s-%s-1-05e3ac9a4f6e3b90,YES"})
    void oneHeaderOfB3(String form, Sampled sampled) {
        assertNames(TraceContext.of(with("b3", form.formatted(TRACE, SPAN))), sampled);
    }

    @ParameterizedTest
    @CsvSource({"0,NO", "1,YES", "d,YES", "x,UNDECIDED", "a-b-1,UNDECIDED", "-,UNDECIDED"})
    void oneHeaderOfB3ThatNamesNothing(String text, Sampled sampled) {
        TraceContext context = TraceContext.of(with("b3", text));
        assertThat(context.isIdentified()).isFalse();
        assertThat(context.sampled()).isEqualTo(sampled);
    }

    @ParameterizedTest
    @CsvSource({"x-b3-sampled,1,YES", "x-b3-sampled,true,YES", "x-b3-sampled,0,NO", "x-b3-sampled,false,NO", "x-b3-flags,1,YES", "x-b3-flags,0,UNDECIDED"})
    void manyHeadersOfB3(String name, String value, Sampled sampled) {
        assertNames(TraceContext.of(with("x-b3-traceid", TRACE, "x-b3-spanid", SPAN, name, value)), sampled);
        assertThat(TraceContext.of(with(name, value)).sampled()).as("without a name").isEqualTo(sampled);
    }

    @Test
    void theFirstThatIsValidCountsAndAllAreWrittenAnew() {
        TraceContext context = TraceContext.of(with("traceparent", "no", "b3", TRACE + "-" + SPAN + "-1", "x-b3-traceid", "1234567890abcdef"));
        assertThat(context.traceId()).isEqualTo(TRACE);
        assertThat(context.tell(RequestChanges.NONE, "1111111111111111").set()).containsExactly(
                Map.entry("traceparent", "00-" + TRACE + "-1111111111111111-01"),
                Map.entry("b3", TRACE + "-1111111111111111-1"),
                Map.entry("x-b3-traceid", TRACE),
                Map.entry("x-b3-spanid", "1111111111111111"),
                Map.entry("x-b3-sampled", "1"),
                Map.entry("x-b3-parentspanid", SPAN));
    }

    @Test
    void aNewTraceIsToldInTheHeadersThatTheRequestHas() {
        assertThat(TraceContext.of(with()).begin(1, 2, false).tell(RequestChanges.NONE, SPAN).set())
                .containsExactly(Map.entry("traceparent", "00-00000000000000010000000000000002-" + SPAN + "-00"));
        assertThat(TraceContext.of(with("b3", "1")).begin(1, 2, true).tell(RequestChanges.NONE, SPAN).set())
                .containsExactly(Map.entry("b3", "00000000000000010000000000000002-" + SPAN + "-1"));
    }

    @Test
    void aRefusalIsATraceparentThatIsNotSampled() {
        assertThat(TraceContext.refusal(Long.parseUnsignedLong(TRACE, 0, 16, 16), Long.parseUnsignedLong(TRACE, 16, 32, 16), Long.parseUnsignedLong(SPAN, 16)))
                .isEqualTo("00-" + TRACE + "-" + SPAN + "-00");
    }
}
