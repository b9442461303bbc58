package io.weft.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import io.weft.agent.link.InstalledBridge;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Every method of a whole library woven in every shape: it must still verify, and work. */
class WovenLibraryTest {
    private final InstalledBridge.Scene scene = new InstalledBridge.Scene();
    private final LongAdder calls = new LongAdder();

    @ParameterizedTest
    @ValueSource(classes = {Pattern.class, ClassReader.class})
    void everyClassVerifies(Class<?> member) throws Exception {
        WovenLoader loader = new WovenLoader(weaveAll(member));

        for (String name : loader.classFiles.keySet()) {
            assertThat(Class.forName(name, true, loader).getClassLoader()).isSameAs(loader);
        }
    }

    @ParameterizedTest
    @ValueSource(classes = Pattern.class)
    void itWorks(Class<?> member) throws Exception {
        Class<?> pattern = Class.forName(member.getName(), true, new WovenLoader(weaveAll(member)));

        Object matches = pattern.getMethod("matches", String.class, CharSequence.class).invoke(null, "(a|b)+c{2,3}", "ababccc");

        assertThat(matches).isEqualTo(true);
        assertThat(calls.sum()).isGreaterThan(100);
    }

    private Map<String, byte[]> weaveAll(Class<?> member) throws IOException {
        int around = scene.add((Handler.Around) (self, a0, a1, a2, a3) -> {
            calls.increment();
            return Handler.PROCEED;
        });
        int argument = scene.add((Handler.Argument) (self, value, a0, a1, a2) -> value);
        int result = scene.add((Handler.Result) (self, value, a0, a1, a2) -> value);
        Map<String, byte[]> woven = new HashMap<>();
        URL jar = member.getProtectionDomain().getCodeSource().getLocation();
        try (JarFile library = new JarFile(Path.of(java.net.URI.create(jar.toString())).toFile())) {
            for (Enumeration<JarEntry> entries = library.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                if (!entry.getName().endsWith(".class") || entry.getName().equals("module-info.class")) {
                    continue;
                }
                try (InputStream in = library.getInputStream(entry)) {
                    byte[] classFile = in.readAllBytes();
                    String name = entry.getName().substring(0, entry.getName().length() - ".class".length()).replace('/', '.');
                    byte[] out = new Weaver().weave(classFile, everyMethod(name, classFile), method -> switch (method.hook().kind()) {
                        case AROUND -> around;
                        case ARGUMENT -> argument;
                        case RESULT -> result;
                    }).classFile();
                    woven.put(name, out == null ? classFile : out);
                }
            }
        }
        return woven;
    }

    private static List<Hook> everyMethod(String className, byte[] classFile) {
        List<Hook> hooks = new ArrayList<>();
        new ClassReader(classFile).accept(new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
                if (!name.startsWith("<")) {
                    hooks.add(Hook.around("around", className, name, descriptor));
                }
                if (!descriptor.startsWith("()")) {
                    hooks.add(Hook.argument("argument", className, name, descriptor, 0));
                }
                hooks.add(Hook.result("result", className, name, descriptor));
                return null;
            }
        }, ClassReader.SKIP_CODE);
        return hooks;
    }

    private static final class WovenLoader extends ClassLoader {
        private final Map<String, byte[]> classFiles;

        WovenLoader(Map<String, byte[]> classFiles) {
            super(null);
            this.classFiles = classFiles;
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] classFile = classFiles.get(name);
            if (classFile == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, classFile, 0, classFile.length);
        }
    }
}
