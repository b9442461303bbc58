package io.weft.agent.link;

import io.weft.agent.log.AgentLog;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandles;

/** Held by the adapter only, so it may hold the app loader. */
record LibraryContext(Attachment attachment, ClassLoader library, ModuleOpener opener, MeshAccess mesh, AgentLog log)
        implements AdapterContext {

    @Override
    public Outbound outbound() {
        return mesh.outbound();
    }

    @Override
    public Inbound inbound() {
        return mesh.inbound();
    }

    @Override
    public MethodHandles.Lookup lookup(String className) throws ReflectiveOperationException {
        Class<?> type = Class.forName(attachment.module().relocation().apply(className), false, library == null ? ClassLoader.getPlatformClassLoader() : library);
        opener.openToAgent(type);
        return MethodHandles.privateLookupIn(type, MethodHandles.lookup());
    }

    @Override
    public void wake(String hook) {
        attachment.wake(hook);
    }

    @Override
    public boolean late() {
        return mesh.late();
    }

    @Override
    public void warn(String message) {
        String module = attachment.module().name();
        log.warnOnce(module + " " + message, module + ": " + message);
    }
}
