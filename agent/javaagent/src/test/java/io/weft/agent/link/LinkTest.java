package io.weft.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookTransformer;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import io.weft.dataplane.Self;
import io.weft.dataplane.Timers;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Relocation;
import io.weft.instrumentation.sample.SampleModule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** From a woven class of an app's loader to the adapter, and back to nothing when the app is gone. */
class LinkTest {
    private final InstalledBridge.Scene scene = new InstalledBridge.Scene();
    private static final Timers NO_TIMERS = (delay, task) -> {
        throw new AssertionError("nothing here has a time limit");
    };

    private final DataPlane dataPlane = DataPlane.start(Duration.ZERO, NO_TIMERS, (where, fault) -> {
            throw new AssertionError(where, fault);
        }, Self.UNKNOWN);
    private final List<String> attached = new ArrayList<>();
    private int left;
    private HookIndex index = new HookIndex(List.of(SampleModule.module()));
    private final Attachments attachments = new Attachments(scene.slots, new LibraryCheck(LinkTest.class.getClassLoader()),
            new Told(), scene.log);
    private final WeavingEngine engine = new WeavingEngine(attachments, scene.slots,
            new Linker(LinkTest.class.getClassLoader(), new ModuleOpener(null), new MeshAccess() {
                @Override
                public Outbound outbound() {
                    return dataPlane;
                }

                @Override
                public Inbound inbound() {
                    return dataPlane.inbound();
                }

                @Override
                public boolean late() {
                    return false;
                }
            }, scene.log));

    private final class Told implements Attachments.Listener {
        @Override
        public void attached(String module) {
            attached.add(module);
        }

        @Override
        public void left() {
            left++;
        }
    }

    @Test
    void adapterServesItsLoader() throws Exception {
        Object first = greeter(app());
        Object second = greeter(app());

        assertThat(greet(first)).isEqualTo("hello Eve secret inherited");
        assertThat(greet(second)).isEqualTo("hello Eve secret inherited");
        assertThat(length(first, "mesh")).isEqualTo(42);
        assertThat(length(first, "app")).isEqualTo(3);
        assertThat(attached).containsExactly("sample", "sample");
        assertThat(attachments.status()).hasSize(2).allSatisfy(status -> assertThat(status.refused()).isNull());
    }

    @Test
    void aCopyUnderAnotherNameIsServedByTheSameAdapter() throws Exception {
        Relocation shaded = new Relocation("sample.library", "com.vendor.");
        ClassLoader app = app(classFile -> relocated(classFile, shaded));
        Object greeter = app.loadClass("com.vendor.sample.library.Greeter").getConstructor().newInstance();

        assertThat(greet(greeter)).isEqualTo("hello Eve secret inherited");
        assertThat(length(greeter, "mesh")).isEqualTo(42);
        assertThat(attached).containsExactly("sample at com.vendor.sample.library");

        greet(greeter(app()));
        assertThat(attached).containsExactly("sample at com.vendor.sample.library", "sample");
    }

    @Test
    void aCopyWithoutAMemberThatTheAdapterUsesIsLeftAlone() throws Exception {
        Relocation shaded = new Relocation("sample.library", "com.vendor.");
        ClassLoader app = app(classFile -> relocated(without("inherited").apply(classFile), shaded));
        Object greeter = app.loadClass("com.vendor.sample.library.Greeter").getConstructor().newInstance();

        assertThat(greet(greeter)).isEqualTo("hello Eve");
        assertThat(scene.logged()).contains("it has no com.vendor.sample.library.Greeter.inherited()Ljava/lang/String;");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theVersionIsTheLoadersOwnThoughItFindsItsParentsFirst(boolean inOneJar, @TempDir Path folder) throws Exception {
        Path parents = jar(folder.resolve("sample-1.jar"), without("inherited"), "Base", "Greeter");
        List<Path> own = inOneJar
                ? List.of(jar(folder.resolve("sample-2.jar"), UnaryOperator.identity(), "Base", "Greeter"))
                : List.of(jar(folder.resolve("base-2.jar"), UnaryOperator.identity(), "Base"),
                        jar(folder.resolve("sample-2.jar"), UnaryOperator.identity(), "Greeter"));
        HookTransformer transformer = new HookTransformer(index, engine, scene.log);
        try (URLClassLoader parent = new URLClassLoader(ChildFirstLoader.urls(List.of(parents)), ClassLoader.getPlatformClassLoader());
                URLClassLoader app = new ChildFirstLoader(own, parent, transformer)) {
            assertThat(greet(greeter(app))).isEqualTo("hello Eve secret inherited");
        }
        assertThat(attachments.status()).singleElement().satisfies(status -> {
            assertThat(status.refused()).isNull();
            assertThat(status.jar()).isEqualTo("sample-2.jar");
        });
    }

    private static Path jar(Path jar, UnaryOperator<byte[]> version, String... names) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (String name : names) {
                String resource = "sample/library/" + name + ".class";
                try (InputStream in = LinkTest.class.getClassLoader().getResourceAsStream(resource)) {
                    out.putNextEntry(new JarEntry(resource));
                    out.write(version.apply(in.readAllBytes()));
                }
            }
        }
        return jar;
    }

    private static byte[] relocated(byte[] classFile, Relocation relocation) {
        try {
            return RelocatedClassFile.of(classFile, relocation);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void faultsLeaveTheMethodAsItIs() throws Exception {
        Object greeter = greeter(app());

        assertThat(length(greeter, "wrong type")).isEqualTo("wrong type".length());
        assertThat(length(greeter, "nothing")).isEqualTo("nothing".length());
        assertThat(scene.logged()).containsOnlyOnce("a fault in sample/length").contains("gave java.lang.String for java.lang.Integer");
    }

    @Test
    void hookWhoseHandlerDoesNotLinkIsTurnedOff() throws Exception {
        Object greeter = greeter(app());
        assertThat(length(greeter, "mesh")).isEqualTo(42);

        assertThat(length(greeter, "no such method")).isEqualTo("no such method".length());

        assertThat(length(greeter, "mesh")).isEqualTo(4);
        assertThat(greet(greeter)).isEqualTo("hello Eve secret inherited");
    }

    @Test
    void versionWithoutAHookedMethodIsLeftAlone() throws Exception {
        Object greeter = greeter(app(without("greet")));

        assertThat(length(greeter, "mesh")).isEqualTo(4);
        assertThat(scene.logged()).contains(
                "sample is left without the mesh; supported versions: 1; it has no sample.library.Greeter.greet(Ljava/lang/String;)Ljava/lang/String;");
        assertThat(left).isEqualTo(1);
        assertThat(attached).isEmpty();
    }

    @Test
    void versionWithoutAMemberThatTheAdapterUsesIsLeftAlone() throws Exception {
        Object greeter = greeter(app(without("inherited")));

        assertThat(greet(greeter)).isEqualTo("hello Eve");
        assertThat(scene.logged()).contains("it has no sample.library.Greeter.inherited()Ljava/lang/String;");
    }

    @Test
    void theFirstAdapterThatFitsTheVersionIsTaken() throws Exception {
        index = new HookIndex(List.of(SampleModule.module(SampleModule.ADAPTER, "io.weft.instrumentation.sample.OlderAdapter")));

        assertThat(greet(greeter(app()))).isEqualTo("hello Eve secret inherited");
        assertThat(greet(greeter(app(without("inherited"))))).isEqualTo("hello Eve, as ever");
        assertThat(scene.logged()).doesNotContain("WARN");
    }

    @Test
    void anAdapterDoesWithoutWhatOnlyAnotherOneNeeds() throws Exception {
        InstrumentationModule module = SampleModule.module(SampleModule.ADAPTER, "io.weft.instrumentation.sample.OlderAdapter");
        List<Hook> hooks = new ArrayList<>(module.hooks());
        hooks.replaceAll(hook -> hook.id().equals("length") ? hook.neededBy(SampleModule.ADAPTER) : hook);
        index = new HookIndex(List.of(new InstrumentationModule(module.name(), module.versions(), module.adapters(), List.of(), hooks)));

        assertThat(greet(greeter(app()))).isEqualTo("hello Eve secret inherited");
        assertThat(greet(greeter(app(without("length"))))).isEqualTo("hello Eve, as ever");
        assertThat(scene.logged()).doesNotContain("WARN");
    }

    @Test
    void whoeverHasOnlyWhatAnotherLibraryHasTooIsNotWarned() throws Exception {
        InstrumentationModule other = new InstrumentationModule("other", "1", List.of(SampleModule.ADAPTER), List.of(),
                List.of(Hook.around("length", "sample.library.Greeter", "length", "(Ljava/lang/String;)I"))).markedBy("sample.library.NotThere");
        index = new HookIndex(List.of(other));

        assertThat(length(greeter(app()), "mesh")).isEqualTo(4);
        assertThat(scene.logged()).doesNotContain("WARN");
        assertThat(attachments.status()).isEmpty();
    }

    @Test
    void adapterThatCannotBeMadeIsSaidOnceAndTheAppGoesOn() throws Exception {
        Object greeter = greeter(app(renamed("secret")));

        assertThat(greet(greeter)).isEqualTo("hello Eve");
        assertThat(length(greeter, "mesh")).isEqualTo(4);
        assertThat(scene.logged()).containsOnlyOnce("java.lang.NoSuchFieldException");
        assertThat(attachments.status()).singleElement().satisfies(status -> assertThat(status.refused()).contains("secret"));
    }

    @Test
    void threadsThatComeAtTheSameTimeShareOneAdapter() throws Exception {
        Object greeter = greeter(app());
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Object>> results = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                results.add(threads.submit(() -> {
                    start.await();
                    return greet(greeter);
                }));
            }
            start.countDown();
            for (Future<Object> result : results) {
                assertThat(result.get()).isEqualTo("hello Eve secret inherited");
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(scene.logged()).doesNotContain("WARN");
    }

    @Test
    void redeployedAppIsCollectedWithItsAdapter() throws Exception {
        List<WeakReference<ClassLoader>> gone = new ArrayList<>();
        for (int deployment = 0; deployment < 3; deployment++) {
            ClassLoader app = app();
            assertThat(greet(greeter(app))).isEqualTo("hello Eve secret inherited");
            gone.add(new WeakReference<>(app));
        }

        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            return gone.stream().allMatch(loader -> loader.refersTo(null));
        });

        // the next app takes the numbers that the collected ones had
        await().atMost(Duration.ofSeconds(10)).until(() -> {
            greet(greeter(app()));
            System.gc();
            return scene.slots.size() <= 4;
        });
    }

    private ClassLoader app() {
        return app(UnaryOperator.identity());
    }

    private ClassLoader app(UnaryOperator<byte[]> version) {
        return new AppLoader(index, engine, scene, version);
    }

    private static Object greeter(ClassLoader app) throws ReflectiveOperationException {
        return app.loadClass("sample.library.Greeter").getConstructor().newInstance();
    }

    private static Object greet(Object greeter) throws ReflectiveOperationException {
        return greeter.getClass().getMethod("greet", String.class).invoke(greeter, "Eve");
    }

    private static Object length(Object greeter, String text) throws ReflectiveOperationException {
        return greeter.getClass().getMethod("length", String.class).invoke(greeter, text);
    }

    private static UnaryOperator<byte[]> without(String method) {
        return classFile -> changed(classFile, writer -> new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
                return name.equals(method) ? null : super.visitMethod(access, name, descriptor, signature, exceptions);
            }
        });
    }

    private static UnaryOperator<byte[]> renamed(String field) {
        return classFile -> changed(classFile, writer -> new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public FieldVisitor visitField(int access, String name, String descriptor, String signature, Object value) {
                return super.visitField(access, name.equals(field) ? "renamed" : name, descriptor, signature, value);
            }

            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
                return new MethodVisitor(Opcodes.ASM9, super.visitMethod(access, name, descriptor, signature, exceptions)) {
                    @Override
                    public void visitFieldInsn(int opcode, String owner, String name, String descriptor) {
                        super.visitFieldInsn(opcode, owner, name.equals(field) ? "renamed" : name, descriptor);
                    }
                };
            }
        });
    }

    private static byte[] changed(byte[] classFile, Function<ClassVisitor, ClassVisitor> change) {
        ClassWriter writer = new ClassWriter(0);
        new ClassReader(classFile).accept(change.apply(writer), 0);
        return writer.toByteArray();
    }
}
