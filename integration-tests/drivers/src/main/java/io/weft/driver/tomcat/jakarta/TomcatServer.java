package io.weft.driver.tomcat.jakarta;

import io.weft.driver.ServerDriver;
import io.weft.driver.servlet.jakarta.Servlets;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.AprLifecycleListener;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.util.ServerInfo;
import org.apache.coyote.http2.Http2Protocol;
import org.apache.tomcat.websocket.server.WsSci;

/**
 * An embedded Tomcat that speaks HTTP/1.1, h2c (unless the system property {@code tomcat.http2} is false) and WebSocket, and
 * AJP on the port that the system property {@code driver.ajp} says. For Tomcat 9 the build makes a copy of this class with the servlet
 * API's old name.
 *
 * <p>Arguments: the instance's name, then the number of further connectors. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS},
 * answered by another thread; {@code /seen}, what the request says of its connection; {@code /dispatch/MILLIS}, dispatched by another thread to {@code /slow/0}; {@code /chunks};
 * {@code /file}, {@value #FILE_SIZE} bytes sent by Tomcat itself, and {@code /big}, {@value #BIG_FILE_SIZE}; {@code /fail}; {@code /grpc}, an empty message of gRPC with the status in trailers; {@code /echo}, a WebSocket.
 */
public final class TomcatServer implements ServerDriver.Server {
    public static final int FILE_SIZE = 32 << 20;
    public static final long BIG_FILE_SIZE = 1L << 30;

    private final Tomcat tomcat = new Tomcat();

    private TomcatServer(String instance, int furtherConnectors) throws Exception {
        Path base = Files.createTempDirectory("tomcat");
        tomcat.setBaseDir(base.toString());
        String protocol = System.getProperty("tomcat.protocol", "HTTP/1.1");
        if (protocol.contains("Apr")) {
            // Loads the native library, without which that connector does not start.
            tomcat.getServer().addLifecycleListener(new AprLifecycleListener());
        }
        Connector connector = new Connector(protocol);
        connector.setPort(0);
        tomcat.setConnector(connector);
        if (Boolean.parseBoolean(System.getProperty("tomcat.http2", "true"))) {
            connector.addUpgradeProtocol(new Http2Protocol());
        }
        for (int i = 0; i < furtherConnectors; i++) {
            Connector further = new Connector();
            further.setPort(0);
            tomcat.getService().addConnector(further);
        }
        String ajp = System.getProperty("driver.ajp");
        if (ajp != null) {
            Connector forWebServers = new Connector("AJP/1.3");
            forWebServers.setPort(Integer.parseInt(ajp));
            forWebServers.setProperty("secretRequired", "false");
            tomcat.getService().addConnector(forWebServers);
        }
        Context context = tomcat.addContext("", base.toString());
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
        add(context, "answer", new Servlets.Answer(instance), "/*");
        add(context, "async", new Servlets.Async(instance, later), "/async/*");
        add(context, "dispatch", new Servlets.Dispatch(later), "/dispatch/*");
        add(context, "chunks", new Servlets.Chunks(), "/chunks");
        add(context, "file", new SendFile(base, FILE_SIZE), "/file");
        add(context, "big", new SendFile(base, BIG_FILE_SIZE), "/big");
        add(context, "fail", new Servlets.Fail(), "/fail");
        add(context, "grpc", new Servlets.Grpc(), "/grpc/*");
        context.addServletContainerInitializer(new WsSci(), Set.of(Servlets.Echo.class));
        tomcat.start();
        if (tomcat.getConnector().getState() != LifecycleState.STARTED) {
            throw new IllegalStateException("connector is " + tomcat.getConnector().getState());
        }
    }

    public static void main(String[] args) throws Exception {
        int further = args.length > 1 ? Integer.parseInt(args[1]) : 0;
        ServerDriver.run(args, instance -> new TomcatServer(instance, further));
    }

    private static void add(Context context, String name, HttpServlet servlet, String pattern) {
        Tomcat.addServlet(context, name, servlet).setAsyncSupported(true);
        context.addServletMappingDecoded(pattern, name);
    }

    @Override
    public int port() {
        return tomcat.getConnector().getLocalPort();
    }

    @Override
    public void close() throws Exception {
        tomcat.stop();
        tomcat.destroy();
    }

    private static final class SendFile extends HttpServlet {
        private final transient Path file;
        private final long size;

        SendFile(Path folder, long size) throws IOException {
            this.size = size;
            file = folder.resolve("file-" + size);
            try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
                sparse.setLength(size);
            }
        }

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            if (request.getProtocol().equals("HTTP/2.0") && ServerInfo.getServerNumber().startsWith("8.")) {
                // Tomcat 8.5 offers it over HTTP/1.1 only.
                response.setContentLengthLong(size);
                Files.copy(file, response.getOutputStream());
                return;
            }
            if (!Boolean.TRUE.equals(request.getAttribute("org.apache.tomcat.sendfile.support"))) {
                throw new IllegalStateException("Tomcat does not offer to send the file");
            }
            response.setContentLengthLong(size);
            request.setAttribute("org.apache.tomcat.sendfile.filename", file.toString());
            request.setAttribute("org.apache.tomcat.sendfile.start", 0L);
            request.setAttribute("org.apache.tomcat.sendfile.end", size);
        }
    }
}
