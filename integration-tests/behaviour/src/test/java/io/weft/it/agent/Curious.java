package io.weft.it.agent;

import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;

/** An app that looks for what an agent leaves behind; prints what it finds, a line each. */
public final class Curious {
    private Curious() {}

    public static void main(String[] args) throws IOException {
        for (String name : args) {
            try {
                Class.forName(name, false, ClassLoader.getSystemClassLoader());
                System.out.println("class " + name);
            } catch (ClassNotFoundException absent) {
                continue;
            }
        }
        List<URL> services = new ArrayList<>();
        for (String service : new String[] {"java.net.spi.URLStreamHandlerProvider", "java.nio.file.spi.FileSystemProvider", "org.slf4j.spi.SLF4JServiceProvider"}) {
            services.addAll(Collections.list(ClassLoader.getSystemClassLoader().getResources("META-INF/services/" + service)));
        }
        services.stream().filter(service -> !service.getProtocol().equals("jrt")).forEach(service -> System.out.println("service " + service));
        Properties properties = System.getProperties();
        for (String name : new TreeSet<>(properties.stringPropertyNames())) {
            if (name.startsWith("io.netty.")) {
                System.out.println("property " + name);
            }
        }
        System.out.println("done");
    }
}
