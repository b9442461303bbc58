package io.weft.driver;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * An app server whose threads outlive an app that brings Jetty's HttpClient of any version. For each line of standard input the app is
 * deployed, gets the {@code url} three times on the server's thread and is undeployed. The answer: {@code statuses}, and whether nothing
 * held the app after that, {@code collected}.
 */
public final class RedeployedJettyClient {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private RedeployedJettyClient() {}

    /** @param jars the app's */
    public static void main(String[] jars) throws Exception {
        URL[] urls = new URL[jars.length];
        for (int i = 0; i < jars.length; i++) {
            urls[i] = Path.of(jars[i]).toUri().toURL();
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            StringBuilder statuses = new StringBuilder();
            WeakReference<ClassLoader> app = deployed(urls, Form.read(line).get("url"), statuses);
            System.out.println(Form.write(Map.of("statuses", statuses.toString(), "collected", Boolean.toString(isCollected(app)))));
        }
        System.exit(0);
    }

    private static WeakReference<ClassLoader> deployed(URL[] jars, String url, StringBuilder statuses) throws Exception {
        try (URLClassLoader app = new URLClassLoader(jars, ClassLoader.getPlatformClassLoader())) {
            Thread.currentThread().setContextClassLoader(app);
            Class<?> type = app.loadClass("org.eclipse.jetty.client.HttpClient");
            Object client = type.getConstructor().newInstance();
            type.getMethod("start").invoke(client);
            for (int i = 0; i < 3; i++) {
                Object response = type.getMethod("GET", String.class).invoke(client, url);
                statuses.append(response.getClass().getMethod("getStatus").invoke(response)).append(' ');
            }
            type.getMethod("stop").invoke(client);
            return new WeakReference<>(app);
        } finally {
            Thread.currentThread().setContextClassLoader(ClassLoader.getSystemClassLoader());
        }
    }

    private static boolean isCollected(WeakReference<ClassLoader> app) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (app.get() != null && System.nanoTime() < end) {
            System.gc();
            Thread.sleep(50);
        }
        return app.get() == null;
    }
}
