package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** The real control plane, a process of its own on loopback, with a policy folder of its own. For one thread. */
public final class ControlPlane {
    private static final long START_SECONDS = 60;

    private final Supplier<JvmCommand> jvm;
    private final Path folder;
    private final int port;
    private UnaryOperator<JvmCommand> how = UnaryOperator.identity();
    private JvmProcess process;

    private ControlPlane(Supplier<JvmCommand> jvm, Path folder, int port) {
        this.jvm = jvm;
        this.folder = folder;
        this.port = port;
    }

    /** @param folder empty; policies and state go into folders below it */
    static ControlPlane start(Supplier<JvmCommand> jvm, Path folder) {
        try {
            Files.createDirectories(folder.resolve("policies"));
            ControlPlane controlPlane = new ControlPlane(jvm, folder, Port.unused());
            controlPlane.start();
            return controlPlane;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public URI uri() {
        return URI.create("grpc://127.0.0.1:" + port);
    }

    /** Of its page, from the last start on. */
    public URI page() {
        String ready = process.awaitStdout(line -> line.contains("; page on "));
        return URI.create(ready.substring(ready.indexOf("; page on ") + "; page on ".length()));
    }

    public Path policies() {
        return folder.resolve("policies");
    }

    public JvmProcess process() {
        return process;
    }

    /** Saves a policy file, in one step as a careful editor does. */
    public void save(String file, String yaml) {
        Path target = folder.resolve("policies").resolve(file);
        Path draft = folder.resolve(file + ".draft");
        try {
            Files.writeString(draft, yaml);
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file with a token for a service of the default mesh, made as an operator makes it. */
    public Path token(String service) {
        JvmProcess made = jvm.get().jar(
                Build.controlPlane(), "token", "--state-dir", folder.resolve("state").toString(), "--service", service);
        if (made.awaitExit() != 0) {
            throw new IllegalStateException("no token: " + made.report());
        }
        try {
            return Files.writeString(folder.resolve(service + ".token"), made.stdout().get(0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Begins to replace the root of the default mesh, as an operator does.
     *
     * @return false: the one before is still under way
     */
    public boolean rotateRoot(Duration overlap) {
        JvmProcess done = jvm.get().jar(
                Build.controlPlane(), "ca", "rotate", "--state-dir", folder.resolve("state").toString(),
                "--overlap", overlap.toMillis() + "ms");
        int exit = done.awaitExit();
        if (exit != 0 && !String.join("", done.stderr()).contains("is under way")) {
            throw new IllegalStateException("the root is not rotated: " + done.report());
        }
        return exit == 0;
    }

    /** Whether all that registered a port take mesh TLS at each of theirs, as the control plane has saved it. */
    public boolean allTakeMeshTls() {
        try {
            String saved = Files.readString(folder.resolve("state").resolve("registrations.json"));
            List<String> serving = Stream.of(saved.split("\"id\" : ")).filter(each -> each.contains("\\\"port\\\":")).toList();
            return !serving.isEmpty() && serving.stream().allMatch(each -> each.contains("\"secured\" : true") && !each.contains("\"unready\" : [ {"));
        } catch (IOException notYet) {
            return false;
        }
    }

    /** From its next start on. */
    public void startsSo(UnaryOperator<JvmCommand> next) {
        how = next;
    }

    /** Starts it again on the same port with the same folders, after it was stopped or killed. */
    public void start() {
        process = how.apply(jvm.get()).jar(
                Build.controlPlane(), "control-plane",
                "--listen", "127.0.0.1:" + port,
                "--page", "127.0.0.1:0",
                "--policies", folder.resolve("policies").toString(),
                "--state-dir", folder.resolve("state").toString());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!listens()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException("the control plane does not listen: " + process.report());
            }
            pause();
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
