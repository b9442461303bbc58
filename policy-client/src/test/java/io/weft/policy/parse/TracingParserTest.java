package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.any;
import static io.weft.policy.parse.Samples.parse;
import static io.weft.policy.parse.Samples.uint32;
import static io.weft.policy.parse.Samples.withManager;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.TelemetryService;
import io.weft.policy.model.Tracing.Literal;
import io.weft.policy.model.Tracing.OfEnvironment;
import io.weft.policy.model.Tracing.OfHeader;
import io.weft.policy.model.Tracing.Sampling;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.GrpcService;
import io.weft.policy.proto.envoy.config.core.v3.HttpService;
import io.weft.policy.proto.envoy.config.core.v3.HttpUri;
import io.weft.policy.proto.envoy.config.trace.v3.OpenTelemetryConfig;
import io.weft.policy.proto.envoy.config.trace.v3.Tracing.Http;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing;
import io.weft.policy.proto.envoy.type.tracing.v3.CustomTag;
import io.weft.policy.proto.envoy.type.v3.Percent;
import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TracingParserTest {
    private static final String AT = "filter_chains[0].filters[0].typed_config.tracing";

    private static Percent percent(double value) {
        return Percent.newBuilder().setValue(value).build();
    }

    private static Accepted accepted(Tracing.Builder tracing) {
        ParseOutcome outcome = parse(withManager(m -> m.setTracing(tracing)));
        assertThat(outcome).isInstanceOf(Accepted.class);
        return (Accepted) outcome;
    }

    private static io.weft.policy.model.Tracing tracing(Tracing.Builder tracing) {
        NamedFilter first = ((Listener) accepted(tracing).resource()).filterChains().get(0).http().filters().get(0);
        return ((HttpFilter.Traces) first.filter()).tracing();
    }

    private static CustomTag.Builder tag(String name) {
        return CustomTag.newBuilder().setTag(name);
    }

    @Test
    void whatIsNotSaidIsAsInEnvoy() {
        assertThat(tracing(Tracing.newBuilder()).sampling()).isEqualTo(new Sampling(100, 100, 100));
        assertThat(tracing(Tracing.newBuilder()).maxPathLength()).isEqualTo(256);
    }

    @Test
    void sharesAndTags() {
        io.weft.policy.model.Tracing tracing = tracing(Tracing.newBuilder()
                .setClientSampling(percent(50)).setRandomSampling(percent(0.1)).setOverallSampling(percent(0)).setMaxPathTagLength(uint32(10))
                .addCustomTags(tag("a").setLiteral(CustomTag.Literal.newBuilder().setValue("x")))
                .addCustomTags(tag("b").setEnvironment(CustomTag.Environment.newBuilder().setName("X").setDefaultValue("y")))
                .addCustomTags(tag("c").setRequestHeader(CustomTag.Header.newBuilder().setName("X-User")))
                .addCustomTags(tag("a").setLiteral(CustomTag.Literal.newBuilder().setValue("too late"))));
        assertThat(tracing.sampling()).isEqualTo(new Sampling(50, 0.1, 0));
        assertThat(tracing.maxPathLength()).isEqualTo(10);
        assertThat(tracing.tags()).containsExactly(new Literal("a", "x"), new OfEnvironment("b", "X", "y"), new OfHeader("c", "x-user", ""));
    }

    private static Tracing.Builder openTelemetry(OpenTelemetryConfig.Builder config) {
        return Tracing.newBuilder().setProvider(Http.newBuilder().setName("envoy.tracers.opentelemetry").setTypedConfig(any(config.build())));
    }

    @Test
    void whereSpansGo() {
        assertThat(tracing(Tracing.newBuilder()).collector()).isEmpty();
        assertThat(tracing(openTelemetry(OpenTelemetryConfig.newBuilder().setServiceName("shop").setGrpcService(
                GrpcService.newBuilder().setEnvoyGrpc(GrpcService.EnvoyGrpc.newBuilder().setClusterName("meshtrace:opentelemetry"))))).collector())
                .contains(new TelemetryService("meshtrace:opentelemetry", Optional.empty()));
        assertThat(tracing(openTelemetry(OpenTelemetryConfig.newBuilder().setHttpService(HttpService.newBuilder().setHttpUri(
                HttpUri.newBuilder().setUri("https://otel.obs:443/base/v1/traces").setCluster("c"))))).collector())
                .contains(new TelemetryService("c", Optional.of("/base/v1/traces")));
    }

    @Test
    void whatIsSaidOfACollectorAndNotDoneIsReported() {
        Accepted outcome = accepted(openTelemetry(OpenTelemetryConfig.newBuilder().setGrpcService(GrpcService.newBuilder()
                .setGoogleGrpc(GrpcService.GoogleGrpc.newBuilder().setTargetUri("otel:4317")))));
        assertThat(outcome.unhonoured()).extracting(Unhonoured::path).contains(AT + ".provider.typed_config.grpc_service (must name a cluster)");
    }

    @Test
    void whatIsAnothersBusinessIsReported() {
        assertThat(accepted(Tracing.newBuilder().setProvider(Http.newBuilder().setName("envoy.tracers.zipkin")).setVerbose(true)
                        .addCustomTags(tag("m").setMetadata(CustomTag.Metadata.getDefaultInstance()))).unhonoured())
                .extracting(Unhonoured::path)
                .contains(AT + ".provider", AT + ".verbose", AT + ".custom_tags[0].metadata");
    }

    @Test
    void aTagOfAKindThatIsNotKnownIsReportedAndTheOthersAreThere() throws IOException {
        ByteString.Output newer = ByteString.newOutput();
        CodedOutputStream out = CodedOutputStream.newInstance(newer);
        out.writeString(CustomTag.TAG_FIELD_NUMBER, "when");
        out.writeString(6, "%START_TIME%");
        out.flush();
        Tracing.Builder tracing = Tracing.newBuilder()
                .addCustomTags(CustomTag.parseFrom(newer.toByteString()))
                .addCustomTags(tag("a").setLiteral(CustomTag.Literal.newBuilder().setValue("x")));
        assertThat(accepted(tracing).unhonoured()).extracting(Unhonoured::path)
                .anyMatch(path -> path.startsWith(AT + ".custom_tags[0]"));
        assertThat(tracing(tracing).tags()).containsExactly(new Literal("a", "x"));
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(Tracing.newBuilder().setRandomSampling(percent(101)), ".random_sampling: must be 0 to 100"),
                Arguments.of(Tracing.newBuilder().setClientSampling(percent(-1)), ".client_sampling: must be 0 to 100"),
                Arguments.of(Tracing.newBuilder().setOverallSampling(percent(Double.NaN)), ".overall_sampling: must be 0 to 100"),
                Arguments.of(Tracing.newBuilder().addCustomTags(tag("").setLiteral(CustomTag.Literal.newBuilder().setValue("x"))),
                        ".custom_tags[0].tag: must not be empty"),
                Arguments.of(Tracing.newBuilder().addCustomTags(tag("x").setLiteral(CustomTag.Literal.newBuilder())),
                        ".custom_tags[0].literal.value: must not be empty"),
                Arguments.of(Tracing.newBuilder().addCustomTags(tag("x").setEnvironment(CustomTag.Environment.newBuilder())),
                        ".custom_tags[0].environment.name: must not be empty"),
                Arguments.of(Tracing.newBuilder().addCustomTags(tag("x").setRequestHeader(CustomTag.Header.newBuilder())),
                        ".custom_tags[0].request_header.name: must not be empty"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refused(Tracing.Builder tracing, String reason) {
        assertThat(parse(withManager(m -> m.setTracing(tracing)))).isInstanceOfSatisfying(
                Refused.class, refused -> assertThat(refused.message()).contains(AT + reason));
    }
}
