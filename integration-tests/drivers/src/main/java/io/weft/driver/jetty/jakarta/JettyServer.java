package io.weft.driver.jetty.jakarta;

import io.weft.driver.ServerDriver;
import io.weft.driver.servlet.jakarta.Servlets;
import jakarta.servlet.http.HttpServlet;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.eclipse.jetty.ee10.servlet.DefaultServlet;
import org.eclipse.jetty.ee10.servlet.ErrorPageErrorHandler;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * An embedded Jetty that speaks HTTP/1.1, h2c and WebSocket. For Jetty 9.4, 10 and 11 the build makes copies of this class with their names
 * of the servlet API and of Jetty's own packages.
 *
 * <p>Argument: the instance's name. Paths as in the driver of Tomcat; {@code /file} and {@code /big} are sent by Jetty's own servlet for files.
 */
public final class JettyServer implements ServerDriver.Server {
    private static final int FILE_SIZE = 32 << 20;
    private static final long BIG_FILE_SIZE = 1L << 30;

    private final Server server = new Server();
    private final ServerConnector connector;

    private JettyServer(String instance) throws Exception {
        HttpConfiguration http = new HttpConfiguration();
        connector = new ServerConnector(server, new HttpConnectionFactory(http), new HTTP2CServerConnectionFactory(http));
        server.addConnector(connector);
        ServletContextHandler context = new ServletContextHandler();
        context.setContextPath("/");
        ErrorPageErrorHandler errors = new ErrorPageErrorHandler();
        errors.setShowStacks(false);
        context.setErrorHandler(errors);
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
        add(context, new Servlets.Answer(instance), "/*");
        add(context, new Servlets.Async(instance, later), "/async/*");
        add(context, new Servlets.Dispatch(later), "/dispatch/*");
        add(context, new Servlets.Chunks(), "/chunks");
        add(context, new Servlets.Fail(), "/fail");
        add(context, new Servlets.Grpc(), "/grpc/*");
        Path folder = Files.createTempDirectory("jetty");
        ServletHolder files = new ServletHolder(new DefaultServlet());
        files.setInitParameter("resourceBase", folder.toString());
        for (String file : new String[] {"/file", "/big"}) {
            create(folder.resolve(file.substring(1)), file.equals("/file") ? FILE_SIZE : BIG_FILE_SIZE);
            context.addServlet(files, file);
        }
        JakartaWebSocketServletContainerInitializer.configure(context, (servlets, container) -> container.addEndpoint(Servlets.Echo.class));
        server.setHandler(context);
        try {
            server.start();
        } catch (Exception failed) {
            // Its threads would keep the process.
            server.stop();
            later.shutdown();
            throw failed;
        }
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, JettyServer::new);
    }

    private static void add(ServletContextHandler context, HttpServlet servlet, String pattern) {
        // By default its name has a hash in it, which error pages show.
        ServletHolder holder = new ServletHolder(servlet.getClass().getSimpleName(), servlet);
        holder.setAsyncSupported(true);
        context.addServlet(holder, pattern);
    }

    /** The same wherever it is made. */
    private static void create(Path file, long size) throws IOException {
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(size);
        }
        Files.setLastModifiedTime(file, FileTime.fromMillis(0));
    }

    @Override
    public int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() throws Exception {
        server.stop();
    }
}
