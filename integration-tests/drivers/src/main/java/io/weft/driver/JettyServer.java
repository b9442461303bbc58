package io.weft.driver;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/** Jetty, on loopback. Argument: the instance's name. */
public final class JettyServer {
    private JettyServer() {}

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, JettyServer::start);
    }

    private static ServerDriver.Server start(String instance) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) throws Exception {
                String answer = ServerDriver.answer(
                        instance, Request.getPathInContext(request), request.getHeaders()::get, Content.Source.asInputStream(request));
                response.write(true, ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)), callback);
                return true;
            }
        });
        try {
            server.start();
        } catch (Exception failed) {
            // Its threads would keep the process.
            server.stop();
            throw failed;
        }
        return new ServerDriver.Server() {
            @Override
            public int port() {
                return connector.getLocalPort();
            }

            @Override
            public void close() throws Exception {
                server.stop();
            }
        };
    }
}
