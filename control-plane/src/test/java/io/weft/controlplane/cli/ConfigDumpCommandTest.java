package io.weft.controlplane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.admin.v3.ConfigDump;
import io.envoyproxy.envoy.admin.v3.ListenersConfigDump;
import io.envoyproxy.envoy.admin.v3.ListenersConfigDump.DynamicListener;
import io.envoyproxy.envoy.admin.v3.ListenersConfigDump.DynamicListenerState;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigDumpCommandTest {
    @TempDir
    private Path folder;

    private record Run(int exit, String out, String err) {}

    private Run run(String said) throws IOException {
        Path file = Files.writeString(folder.resolve("said"), said);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Weft.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .execute("config-dump", "-f", file.toString());
        return new Run(exit, out.toString(), err.toString());
    }

    private static String said(ConfigDump dump) {
        return Base64.getEncoder().encodeToString(dump.toByteArray()) + '\n';
    }

    private static HttpFilter filter(Any config) {
        return HttpFilter.newBuilder().setName("filter").setTypedConfig(config).build();
    }

    @Test
    void whatIsPackedHasItsTypeHoweverDeepAndAlsoWhereNobodyKnowsIt() throws IOException {
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("outbound")
                .addHttpFilters(filter(Any.pack(com.github.udpa.udpa.type.v1.TypedStruct.newBuilder()
                        .setTypeUrl("type.googleapis.com/stats.PluginConfig")
                        .setValue(Struct.newBuilder().putFields("a", Value.newBuilder().setBoolValue(true).build()))
                        .build())))
                .addHttpFilters(filter(Any.newBuilder().setTypeUrl("type.googleapis.com/io.istio.http.peer_metadata.Config")
                        .setValue(ByteString.copyFrom(new byte[] {8, 1})).build()))
                .addHttpFilters(filter(Any.pack(Router.newBuilder().setSuppressEnvoyHeaders(true).build())))
                .build();
        Listener listener = Listener.newBuilder()
                .setName("0.0.0.0_80")
                .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder().setName("http").setTypedConfig(Any.pack(manager))))
                .build();
        ConfigDump dump = ConfigDump.newBuilder()
                .addConfigs(Any.pack(ListenersConfigDump.newBuilder()
                        .addDynamicListeners(DynamicListener.newBuilder()
                                .setName("0.0.0.0_80")
                                .setActiveState(DynamicListenerState.newBuilder().setVersionInfo("7").setListener(Any.pack(listener))))
                        .build()))
                .build();

        Run run = run(said(dump));
        assertThat(run.exit()).as(run.err()).isZero();
        JsonNode section = new ObjectMapper().readTree(run.out()).at("/configs/0");
        assertThat(section.path("@type").asText()).isEqualTo("type.googleapis.com/envoy.admin.v3.ListenersConfigDump");
        JsonNode told = section.at("/dynamic_listeners/0/active_state/listener");
        assertThat(told.path("@type").asText()).isEqualTo("type.googleapis.com/envoy.config.listener.v3.Listener");
        JsonNode filters = told.at("/filter_chains/0/filters/0/typed_config/http_filters");
        assertThat(filters.at("/0/typed_config/value/a").asBoolean()).isTrue();
        assertThat(filters.at("/1/typed_config").toString())
                .isEqualTo("{\"@type\":\"type.googleapis.com/io.istio.http.peer_metadata.Config\"}");
        assertThat(filters.at("/2/typed_config/suppress_envoy_headers").asBoolean()).isTrue();
    }

    @Test
    void saysWhyThereIsNothingToShow() throws IOException {
        String one = said(ConfigDump.newBuilder().addConfigs(Any.pack(ListenersConfigDump.getDefaultInstance())).build());
        assertThat(run(one).exit()).isZero();
        assertThat(run(one + one)).satisfies(two -> {
            assertThat(two.exit()).isEqualTo(1);
            assertThat(two.err()).contains("2 JVMs are in the mesh here: name one by its process id");
            assertThat(two.out()).isEmpty();
        });
        assertThat(run("no JVM is in the mesh\n")).satisfies(other -> {
            assertThat(other.exit()).isEqualTo(1);
            assertThat(other.err()).contains("this is not what the agent's config-dump says");
        });
        assertThat(run("").err()).contains("there is nothing in " + folder);
    }
}
