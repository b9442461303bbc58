package io.weft.driver.tomcat.jakarta;

import io.weft.driver.ServerDriver;
import io.weft.driver.servlet.jakarta.Servlets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/** An embedded Tomcat with nothing but what 7 has, too. For that one the build makes a copy of this class with the servlet API's old name. */
public final class PlainTomcatServer implements ServerDriver.Server {
    private final Tomcat tomcat = new Tomcat();

    private PlainTomcatServer(String instance) throws Exception {
        Path base = Files.createTempDirectory("tomcat");
        tomcat.setBaseDir(base.toString());
        Connector connector = new Connector("HTTP/1.1");
        connector.setPort(0);
        tomcat.getService().addConnector(connector);
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", base.toString());
        Tomcat.addServlet(context, "answer", new Servlets.Answer(instance)).addMapping("/*");
        tomcat.start();
        // Tomcat 7 and 8.0 only log why.
        if (connector.getState() != LifecycleState.STARTED) {
            throw new IllegalStateException("connector is " + connector.getState());
        }
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, PlainTomcatServer::new);
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
}
