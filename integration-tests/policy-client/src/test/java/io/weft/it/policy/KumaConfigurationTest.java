package io.weft.it.policy;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.KumaConfiguration;
import io.weft.it.harness.Policy;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceParser;
import io.weft.policy.parse.ResourceType;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole configurations of a real kuma-cp: accepted as they are, and refused by the field's path when one field is broken. */
class KumaConfigurationTest {
    private static final Authority MESH = new Authority("mesh");
    private static final Certified OWN = MESH.certify("spiffe://envoyconfig/test-server");

    /** What has no effect in a JVM, without indexes, and why not. */
    private static final Map<String, String> WITHOUT_EFFECT = Map.ofEntries(
            entry("Cluster typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"]",
                    "the app's own client has the connections; of this only max_stream_duration and filters mean something"),
            entry("Cluster upstream_bind_config", "of the way from a proxy to its app"),
            entry("Listener filter_chains[].filters[] (envoy.filters.network.tcp_proxy)", "for what is not HTTP, which goes to the app anyway"),
            entry("Listener filter_chains[].filters[].typed_config.common_http_protocol_options.idle_timeout", "the connections are the library's"),
            entry("Listener filter_chains[].filters[].typed_config.idle_timeout", "the connections are the library's"),
            entry("Listener filter_chains[].filters[].typed_config.internal_address_config", "decides about headers of Envoy's own"),
            entry("Listener filter_chains[].filters[].typed_config.request_headers_timeout", "the server reads the head by itself"),
            entry("Listener filter_chains[].filters[].typed_config.stream_idle_timeout", "the server reads and writes by itself"));

    /** Fields that are accepted though Envoy's API forbids the value, and why. */
    private static final Map<String, String> ACCEPTED_BROKEN = Map.ofEntries(
            entry("envoy.config.accesslog.v3.AccessLog.typed_config UNKNOWN_TYPE", "a logger that is not known here is reported"),
            entry("envoy.config.cluster.v3.Cluster.TypedExtensionProtocolOptionsEntry.value UNKNOWN_TYPE", "reported: the connections are the library's"),
            entry("envoy.config.core.v3.CidrRange.address_prefix MISSING", "of what is reported as a whole"),
            entry("envoy.config.core.v3.CidrRange.prefix_len OUT_OF_RANGE", "of what is reported as a whole"),
            entry("envoy.config.core.v3.SocketAddress.address MISSING", "of what is reported as a whole"),
            entry("envoy.config.core.v3.SocketAddress.port_value NONE_OF_SEVERAL", "of what is reported as a whole"),
            entry("envoy.config.core.v3.SocketAddress.port_value OUT_OF_RANGE", "of what is reported as a whole"),
            entry("envoy.config.core.v3.TransportSocket.name MISSING", "only for people"),
            entry("envoy.config.core.v3.TypedExtensionConfig.name MISSING", "only for people"),
            entry("envoy.config.listener.v3.Filter.name MISSING", "only for people"),
            entry("envoy.config.listener.v3.Filter.typed_config GARBAGE", "of a chain that is not HTTP, which is reported as a whole"),
            entry("envoy.config.listener.v3.Filter.typed_config UNKNOWN_TYPE", "of a chain that is not HTTP, which is reported as a whole"),
            entry("envoy.config.listener.v3.ListenerFilter.name MISSING", "only for people"),
            entry("envoy.config.listener.v3.ListenerFilter.typed_config GARBAGE", "an inspector, of which no field is read"),
            entry("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.stat_prefix MISSING", "only for statistics; gRPC's control planes leave it out"),
            entry("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.cluster NONE_OF_SEVERAL", "of what is reported as a whole"),
            entry("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.idle_timeout NEGATIVE", "of what is reported as a whole"),
            entry("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.stat_prefix MISSING", "of what is reported as a whole"),
            entry("envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig.http2_protocol_options NONE_OF_SEVERAL", "of what is reported as a whole"),
            entry("envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig.http_protocol_options NONE_OF_SEVERAL", "of what is reported as a whole"),
            entry("envoy.extensions.upstreams.http.v3.HttpProtocolOptions.explicit_http_config NONE_OF_SEVERAL", "of what is reported as a whole"),
            entry("envoy.type.matcher.v3.MetadataMatcher.PathSegment.key NONE_OF_SEVERAL", "no filter here writes metadata, so it is never found"),
            entry("envoy.type.matcher.v3.MetadataMatcher.filter MISSING", "no filter here writes metadata, so it is never found"),
            entry("envoy.type.matcher.v3.MetadataMatcher.path MISSING", "no filter here writes metadata, so it is never found"),
            entry("envoy.type.matcher.v3.MetadataMatcher.value MISSING", "no filter here writes metadata, so it is never found"),
            entry("envoy.type.matcher.v3.ValueMatcher.null_match NONE_OF_SEVERAL", "no filter here writes metadata, so it is never found"),
            entry("xds.core.v3.TypedExtensionConfig.name MISSING", "only for people"),
            entry("xds.core.v3.TypedExtensionConfig.typed_config GARBAGE", "an input, of which no field is read"));

    static Stream<KumaConfiguration> all() {
        return KumaConfiguration.all();
    }

    @ParameterizedTest
    @MethodSource("all")
    void isAcceptedWholeAndSaysWhatHasNoEffect(KumaConfiguration configuration) {
        resources(configuration).forEach((type, resources) -> resources.forEach((name, resource) -> {
            ParseOutcome outcome = parse(type, name, resource);
            assertThat(outcome).as(() -> ((Refused) outcome).message()).isInstanceOf(Accepted.class);
            ((Accepted) outcome).unhonoured().forEach(field ->
                    assertThat(WITHOUT_EFFECT).containsKey(type.label() + ' ' + withoutIndexes(field.path())));
        }));
    }

    @Test
    void nothingIsListedThatIsNotSent() {
        Set<String> sent = new TreeSet<>();
        all().forEach(configuration -> resources(configuration).forEach((type, resources) -> resources.forEach((name, resource) ->
                ((Accepted) parse(type, name, resource)).unhonoured().forEach(field -> sent.add(type.label() + ' ' + withoutIndexes(field.path()))))));
        assertThat(sent).containsExactlyInAnyOrderElementsOf(WITHOUT_EFFECT.keySet());
    }

    @Test
    void aBrokenFieldIsRefusedByItsPath() {
        Set<String> accepted = new TreeSet<>();
        Set<String> otherwise = new TreeSet<>();
        int[] refused = {0};
        all().forEach(configuration -> resources(configuration).forEach((type, resources) -> resources.forEach((name, resource) -> {
            for (BrokenField broken : BrokenField.allOf(resource)) {
                ParseOutcome outcome = parse(type, name, broken.message());
                if (!(outcome instanceof Refused refusal)) {
                    accepted.add(broken.field() + ' ' + broken.way());
                } else if (broken.isNamedBy(refusal.path()) && (refusal.name().equals(name) || broken.path().endsWith("name"))) {
                    refused[0]++;
                } else {
                    otherwise.add(broken.field() + ' ' + broken.way() + ": " + broken.path() + ": " + refusal.message());
                }
            }
        })));
        assertThat(otherwise).as("refused by another path").isEmpty();
        assertThat(accepted).containsExactlyInAnyOrderElementsOf(ACCEPTED_BROKEN.keySet());
        assertThat(refused[0]).isGreaterThan(1_000);
    }

    private static String withoutIndexes(String path) {
        return path.replaceAll("\\[\\d+]", "[]");
    }

    private static Map<ResourceType, Map<String, ? extends Message>> resources(KumaConfiguration configuration) {
        Policy policy = configuration.policy(MESH, OWN);
        return Map.of(
                ResourceType.CLUSTER, policy.clusters(),
                ResourceType.ENDPOINTS, policy.endpoints(),
                ResourceType.LISTENER, policy.listeners(),
                ResourceType.SECRET, policy.secrets());
    }

    private static ParseOutcome parse(ResourceType type, String name, Message resource) {
        return ResourceParser.parse(new RawResource(type, name, "1", resource.toByteString()));
    }
}
