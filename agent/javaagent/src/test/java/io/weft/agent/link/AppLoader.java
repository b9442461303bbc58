package io.weft.agent.link;

import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookTransformer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.objectweb.asm.ClassReader;

/** An app's loader with a copy of the sample library; what it defines passes the transformer, as in a JVM with the agent. */
final class AppLoader extends ClassLoader {
    private final HookTransformer transformer;
    private final Map<String, byte[]> classFiles = new HashMap<>();

    /** @param version makes another version of a class file */
    AppLoader(HookIndex index, HookTransformer.Engine engine, InstalledBridge.Scene scene, UnaryOperator<byte[]> version) {
        super(ClassLoader.getPlatformClassLoader());
        transformer = new HookTransformer(index, engine, scene.log);
        for (String name : new String[] {"Greeter", "Base"}) {
            String resource = "sample/library/" + name + ".class";
            try (InputStream in = AppLoader.class.getClassLoader().getResourceAsStream(resource)) {
                byte[] classFile = version.apply(in.readAllBytes());
                classFiles.put(new ClassReader(classFile).getClassName() + ".class", classFile);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public InputStream getResourceAsStream(String name) {
        byte[] classFile = classFiles.get(name);
        return classFile == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(classFile);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        String internalName = name.replace('.', '/');
        byte[] classFile = classFiles.get(internalName + ".class");
        if (classFile == null) {
            throw new ClassNotFoundException(name);
        }
        byte[] woven = transformer.transform(getUnnamedModule(), this, internalName, null, null, classFile);
        byte[] defined = woven == null ? classFile : woven;
        return defineClass(name, defined, 0, defined.length);
    }
}
