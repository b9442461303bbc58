package io.weft.instrumentation.micronauthttpclient;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultEventLoopGroup;
import io.netty.channel.EventLoopGroup;
import java.net.ConnectException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the library gets in place of a connection. */
class ConnectingTest {
    private final EventLoopGroup group = new DefaultEventLoopGroup(1);
    private final ConnectException refusal = new ConnectException("policy does not let it");

    @AfterEach
    void shutDown() {
        group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private Throwable told() throws Exception {
        ChannelFuture refused = Connecting.refused(new Bootstrap().group(group), refusal);
        CompletableFuture<Throwable> told = new CompletableFuture<>();
        refused.addListener(result -> told.complete(result.cause()));
        return told.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aRefusalIsToldAsOfAConnectionThatThereIsNot() throws Exception {
        assertThat(told()).isSameAs(refusal);
    }

    /** Else the library would go on, and ask DNS for a name of the mesh's or call what policy does not let it call. */
    @Test
    void itIsToldWhereTheClientIsBeingClosed() throws Exception {
        shutDown();
        assertThat(told()).isSameAs(refusal);
    }
}
