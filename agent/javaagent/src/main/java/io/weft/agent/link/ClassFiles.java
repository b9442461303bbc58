package io.weft.agent.link;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLConnection;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.List;

/**
 * The class files of an app's loader: what it finds as a resource. But a loader that takes its own classes before its parent's may find
 * its parent's resources first, and there another version of the library; then its own are found by where the class at hand is from.
 */
final class ClassFiles {
    private final ClassLoader loader;
    /** Where the class at hand is from, as {@link #place} has it; null: there it is found first, or nobody can tell. */
    private final String own;

    private ClassFiles(ClassLoader loader, String own) {
        this.loader = loader;
        this.own = own;
    }

    /**
     * @param loader not null
     * @param internalName of the class at hand, which the loader defines
     * @param domain its; null: nobody knows
     */
    static ClassFiles of(ClassLoader loader, String internalName, ProtectionDomain domain) {
        boolean plain = loader == ClassLoader.getSystemClassLoader() && LoaderRef.isJdk(loader.getParent());
        CodeSource source = plain || domain == null ? null : domain.getCodeSource();
        URL location = source == null ? null : source.getLocation();
        return new ClassFiles(loader, location == null ? null : own(loader, internalName, place(location)));
    }

    private static String own(ClassLoader loader, String internalName, String place) {
        String resource = internalName + ".class";
        URL first = loader.getResource(resource);
        if (first == null || isAt(place, first, resource)) {
            return null;
        }
        for (URL found : all(loader, resource)) {
            if (isAt(place, found, resource)) {
                return place;
            }
        }
        return null;
    }

    /** @return null when there is none */
    URL find(String internalName) {
        String resource = internalName + ".class";
        if (own == null) {
            return loader.getResource(resource);
        }
        List<URL> found = all(loader, resource);
        for (URL candidate : found) {
            if (isAt(own, candidate, resource)) {
                return candidate;
            }
        }
        // In another jar, as a library may be in several.
        ClassLoader parent = loader.getParent();
        List<String> others = parent == null ? List.of() : all(parent, resource).stream().map(URL::toString).toList();
        for (URL candidate : found) {
            if (!others.contains(candidate.toString())) {
                return candidate;
            }
        }
        return found.isEmpty() ? null : found.get(0);
    }

    /** @return null when there is none */
    InputStream open(String internalName) throws IOException {
        if (own == null) {
            return loader.getResourceAsStream(internalName + ".class");
        }
        URL found = find(internalName);
        if (found == null) {
            return null;
        }
        URLConnection connection = found.openConnection();
        // Whoever caches a jar keeps it open after the app is gone.
        connection.setUseCaches(false);
        return connection.getInputStream();
    }

    private static List<URL> all(ClassLoader loader, String resource) {
        try {
            return Collections.list(loader.getResources(resource));
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot find the class files " + resource, unreadable);
        }
    }

    /** As in {@code file:/srv/lib/okhttp-4.12.0.jar}, in whichever way a URL says that. */
    private static String place(URL location) {
        String place = location.toString();
        if (place.startsWith("jar:")) {
            place = place.substring("jar:".length());
        }
        if (place.endsWith("!/")) {
            return place.substring(0, place.length() - "!/".length());
        }
        return place.endsWith("/") ? place.substring(0, place.length() - 1) : place;
    }

    private static boolean isAt(String place, URL file, String resource) {
        String url = file.toString();
        String path = url.startsWith("jar:") ? url.substring("jar:".length()) : url;
        if (!path.startsWith(place)) {
            return false;
        }
        String inside = path.substring(place.length());
        if (inside.equals("!/" + resource) || inside.equals("/" + resource)) {
            return true;
        }
        // Of a jar for several releases of the JDK.
        return inside.startsWith("!/META-INF/versions/") && inside.endsWith("/" + resource);
    }
}
