package io.weft.benchmarks.workload;

import io.weft.driver.ServerDriver;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;

/** Answers every request with the same hundred bytes, over {@link OwnTls} where there is that, and {@code /close} with the end of the connection: a server that does as little as one can, so that what is added shows. */
public final class TomcatServer {
    private TomcatServer() {}

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, instance -> start());
    }

    private static ServerDriver.Server start() throws Exception {
        Path base = Files.createTempDirectory("tomcat");
        base.toFile().deleteOnExit();
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(base.toString());
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // Tomcat closes a connection after 100 requests otherwise.
        tomcat.getConnector().setProperty("maxKeepAliveRequests", "-1");
        if (OwnTls.isThere()) {
            secure(tomcat.getConnector());
        }
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "fixed", new Fixed());
        context.addServletMappingDecoded("/*", "fixed");
        tomcat.start();
        return new ServerDriver.Server() {
            @Override
            public int port() {
                return tomcat.getConnector().getLocalPort();
            }

            @Override
            public void close() throws Exception {
                tomcat.stop();
                tomcat.destroy();
            }
        };
    }

    private static void secure(Connector connector) {
        connector.setSecure(true);
        connector.setScheme("https");
        connector.setProperty("SSLEnabled", "true");
        SSLHostConfig host = new SSLHostConfig();
        host.setProtocols("TLSv1.3");
        host.setCertificateVerification("required");
        host.setTruststoreFile(OwnTls.TRUST_STORE);
        host.setTruststorePassword(OwnTls.PASSWORD);
        host.setTruststoreType("PKCS12");
        SSLHostConfigCertificate certificate = new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.EC);
        certificate.setCertificateKeystoreFile(OwnTls.KEY_STORE);
        certificate.setCertificateKeystorePassword(OwnTls.PASSWORD);
        certificate.setCertificateKeystoreType("PKCS12");
        host.addCertificate(certificate);
        connector.addSslHostConfig(host);
    }

    private static final class Fixed extends HttpServlet {
        private static final long serialVersionUID = 1;
        private static final byte[] BODY = "x".repeat(100).getBytes(StandardCharsets.US_ASCII);

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            if (request.getRequestURI().equals("/close")) {
                response.setHeader("Connection", "close");
            }
            response.setContentType("text/plain");
            response.setContentLength(BODY.length);
            response.getOutputStream().write(BODY);
        }
    }
}
