package io.weft.driver;

import io.undertow.Undertow;
import io.undertow.server.handlers.BlockingHandler;
import java.net.InetSocketAddress;

/** Undertow, on loopback. Argument: the instance's name. */
public final class UndertowServer {
    private UndertowServer() {}

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, UndertowServer::start);
    }

    private static ServerDriver.Server start(String instance) {
        Undertow server = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .setHandler(new BlockingHandler(exchange -> exchange.getResponseSender().send(ServerDriver.answer(
                        instance, exchange.getRequestPath(), exchange.getRequestHeaders()::getFirst, exchange.getInputStream()))))
                .build();
        server.start();
        return new ServerDriver.Server() {
            @Override
            public int port() {
                return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
            }

            @Override
            public void close() {
                server.stop();
            }
        };
    }
}
