package io.weft.agent.link;

import io.weft.agent.weave.HookTransformer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.List;

/** An app's loader that has its own classes before its parent's, but finds its parent's resources first. */
final class ChildFirstLoader extends URLClassLoader {
    private final HookTransformer transformer;

    ChildFirstLoader(List<Path> jars, ClassLoader parent, HookTransformer transformer) throws IOException {
        super(urls(jars), parent);
        this.transformer = transformer;
    }

    static URL[] urls(List<Path> jars) throws IOException {
        URL[] urls = new URL[jars.size()];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = jars.get(i).toUri().toURL();
        }
        return urls;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            return findResource(name.replace('.', '/') + ".class") == null ? super.loadClass(name, resolve) : findClass(name);
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        String internalName = name.replace('.', '/');
        URL found = findResource(internalName + ".class");
        try (InputStream in = found.openStream()) {
            byte[] classFile = in.readAllBytes();
            String jar = found.toString().substring("jar:".length(), found.toString().indexOf("!/"));
            ProtectionDomain domain = new ProtectionDomain(new CodeSource(new URL(jar), (Certificate[]) null), null);
            byte[] woven = transformer.transform(getUnnamedModule(), this, internalName, null, domain, classFile);
            byte[] defined = woven == null ? classFile : woven;
            return defineClass(name, defined, 0, defined.length, domain);
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}
