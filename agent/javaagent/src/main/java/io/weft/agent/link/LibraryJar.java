package io.weft.agent.link;

import io.weft.instrumentation.InstrumentationModule;
import java.net.URL;
import java.security.CodeSource;
import java.security.ProtectionDomain;

/** Which jar an app has a library from. */
final class LibraryJar {
    private static final String INSIDE = "!/";

    private LibraryJar() {}

    /**
     * By the class that tells the library: the one that is being loaded may be another library's, on which this one is built.
     *
     * @param files null: of the JDK
     * @param domain of the class that is being loaded
     * @return where it is, as a URL; empty: nobody knows, or it is the JDK's
     */
    static String location(InstrumentationModule module, ClassFiles files, ProtectionDomain domain) {
        String telling = telling(module).replace('.', '/');
        URL found = files == null ? null : files.find(telling);
        if (found != null) {
            String url = found.toString();
            return url.startsWith("jrt:") ? "" : url.substring(0, url.length() - (telling + ".class").length());
        }
        CodeSource source = domain == null ? null : domain.getCodeSource();
        return source == null || source.getLocation() == null ? "" : source.getLocation().toString();
    }

    /** Class name. */
    static String telling(InstrumentationModule module) {
        return module.marker() != null ? module.marker() : module.hooks().get(0).className();
    }

    /** @return the file's name, as in {@code okhttp-4.12.0.jar}; empty: it is in no jar */
    static String name(String location) {
        String jar = location;
        while (jar.endsWith(INSIDE) || jar.endsWith("/")) {
            jar = jar.substring(0, jar.length() - (jar.endsWith(INSIDE) ? INSIDE.length() : 1));
        }
        String name = jar.substring(jar.lastIndexOf('/') + 1);
        return name.endsWith(".jar") || name.endsWith(".war") ? name : "";
    }
}
