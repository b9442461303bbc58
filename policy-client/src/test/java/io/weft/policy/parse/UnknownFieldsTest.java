package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ApiMessages.ApiField;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.rbac.v3.Permission;
import io.weft.policy.proto.envoy.config.rbac.v3.Principal;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Nothing is dropped in silence, not even what the API of this build does not know. */
class UnknownFieldsTest {
    private static final int UNKNOWN = 12_345;

    /** The message with one field more. */
    @SuppressWarnings("unchecked")
    private static <M extends MessageLite> M skewed(M message) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            message.writeTo(out);
            out.writeString(UNKNOWN, "new");
            out.flush();
            return (M) message.getParserForType().parseFrom(ByteString.copyFrom(bytes.toByteArray()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void assertReported(String path, MessageLite resource) {
        assertThat(parse(resource)).isInstanceOfSatisfying(Accepted.class, accepted ->
                assertThat(accepted.unhonoured()).extracting(Unhonoured::path).containsExactly(path + ", not known to this version)"));
    }

    private static void assertRefused(String path, MessageLite resource) {
        assertThat(parse(resource)).isInstanceOfSatisfying(Refused.class, refused -> {
            assertThat(refused.path()).isEqualTo(path);
            assertThat(refused.reason()).contains("field " + UNKNOWN + " of ").contains("not known to this version");
        });
    }

    @Test
    void isReportedByMessageAndNumberWhereverItIs() {
        assertReported("(field 12345 of envoy.config.cluster.v3.Cluster", skewed(cluster(c -> {})));
        assertReported("virtual_hosts[0].routes[0].route (field 12345 of envoy.config.route.v3.RouteAction",
                withRoute(r -> r.setRoute(skewed(r.getRoute()))));
        assertReported("filter_chains[0].filters[0].typed_config (field 12345 of "
                        + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                listener(l -> l.setFilterChains(0, l.getFilterChains(0).toBuilder().setFilters(0, filter("http", any(skewed(manager(m -> {}))))))));
        assertReported("typed_per_filter_config[\"cors\"] (field 12345 of envoy.extensions.filters.http.cors.v3.CorsPolicy",
                routes(r -> r.putTypedPerFilterConfig("cors", any(skewed(
                        io.weft.policy.proto.envoy.extensions.filters.http.cors.v3.CorsPolicy.getDefaultInstance())))));
        assertReported("endpoints[0].lb_endpoints[0] (field 12345 of envoy.config.endpoint.v3.LbEndpoint",
                assignment(e -> e.mergeFrom(skewed(e.build()))));
    }

    @Test
    void isRefusedWhereItCouldLetMoreThrough() {
        assertRefused("virtual_hosts[0].routes[0].match", withRoute(r -> r.setMatch(skewed(r.getMatch()))));
        assertRefused("transport_socket.typed_config", withTls(skewed(UpstreamTlsContext.getDefaultInstance())));
        Principal anybody = Principal.newBuilder().setAny(true).build();
        Permission all = Permission.newBuilder().setAny(true).build();
        assertThat(parse(AccessControlTest.withRules(AccessControlTest.rules(all, skewed(anybody)))))
                .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.path()).endsWith("principals[0]"));
    }

    /** The parsers keep to the same limit, message for message. */
    @Test
    void nestingWithoutEndIsNoStackOverflow() {
        var packed = any(io.weft.policy.proto.envoy.config.route.v3.FilterConfig.getDefaultInstance());
        for (int i = 0; i < 20_000; i++) {
            packed = any(io.weft.policy.proto.envoy.config.route.v3.FilterConfig.newBuilder().setConfig(packed).setIsOptional(true).build());
        }
        var last = packed;
        assertThat(parse(routes(r -> r.putTypedPerFilterConfig("f", last)))).isNotNull();
    }

    @Test
    void theTableIsThatOfTheGeneratedClasses() throws IOException {
        Path file = Path.of("src/main/resources/io/weft/policy/parse/messages.txt");
        String table = ApiMessages.all().values().stream()
                // Not within policies, or kept as it is.
                .filter(message -> !ApiMessages.isOf(message, "envoy.service.", "envoy.data.", "google."))
                .map(UnknownFieldsTest::line)
                .collect(Collectors.joining("\n", "", "\n"));
        if (Boolean.getBoolean("weft.write")) {
            Files.writeString(file, table);
        }
        assertThat(Files.readString(file))
                .as("stale; write it with: mvn -pl policy-client -am test -Dtest=UnknownFieldsTest -DargLine=-Dweft.write=true"
                        + " -Dsurefire.failIfNoSpecifiedTests=false")
                .isEqualTo(table);
    }

    private static String line(Class<?> message) {
        List<ApiField> fields = ApiMessages.fields(message);
        StringBuilder line = new StringBuilder(ApiMessages.name(message));
        for (ApiField field : fields) {
            line.append(' ').append(field.number());
            boolean child = field.message() != null
                    && (ApiMessages.name(field.message()).equals("google.protobuf.Any") || !ApiMessages.isOf(field.message(), "google."));
            if (child) {
                line.append(switch (field.label()) {
                    case SINGLE -> "";
                    case REPEATED -> "*";
                    case MAP -> "%";
                });
                line.append(':').append(field.name()).append('>').append(ApiMessages.name(field.message()));
            }
        }
        return line.toString();
    }
}
