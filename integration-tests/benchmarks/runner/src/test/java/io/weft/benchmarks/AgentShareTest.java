package io.weft.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AgentShareTest {

    @Test
    void theInnermostCodeThatIsNotTheJdksSaysWhoseTimeItIs() {
        assertThat(AgentShare.isAgents(List.of("java.util.HashMap", "io.weft.dataplane.Cluster", "okhttp3.OkHttpClient"))).isTrue();
        // The bridge is in a package of the JDK.
        assertThat(AgentShare.isAgents(List.of("java.lang.WeftBridge", "io.weft.agent.link.BridgeDispatcher", "java.lang.Thread"))).isTrue();
        assertThat(AgentShare.isAgents(List.of("okhttp3.Headers", "io.weft.okhttp.OkHttpCall", "okhttp3.OkHttpClient"))).isFalse();
        assertThat(AgentShare.isAgents(List.of("java.lang.String", "io.weft.driver.OkHttp"))).isFalse();
        assertThat(AgentShare.isAgents(List.of("java.util.HashMap", "java.lang.Thread"))).isFalse();
        // These are libraries that apps use, not what others stand on.
        assertThat(AgentShare.isAgents(List.of("sun.nio.ch.SocketChannelImpl", "jdk.internal.net.http.Http1Exchange", "io.weft.instrumentation.javanethttp.Attempts"))).isFalse();
    }

    @Test
    void whatASocketDoesForALibraryIsTheLibrarysThoughItPassesThroughTheAgent() {
        String socket = "sun.nio.ch.NioSocketImpl";
        assertThat(AgentShare.isAgents(List.of(socket, "java.net.Socket$SocketInputStream", "io.weft.ObservedSocket", "sun.net.www.http.HttpClient"))).isFalse();
        assertThat(AgentShare.isAgents(List.of("java.util.HashMap", "io.weft.ObservedSocket", "sun.net.www.http.HttpClient"))).isTrue();
        assertThat(AgentShare.isAgents(List.of(socket, "io.weft.xds.Stream", "java.lang.Thread"))).isTrue();
    }
}
