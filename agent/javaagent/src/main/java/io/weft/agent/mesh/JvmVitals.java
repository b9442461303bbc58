package io.weft.agent.mesh;

import com.sun.management.OperatingSystemMXBean;
import io.weft.dataplane.load.Vitals;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;

/**
 * What this JVM's management beans say. Their classes are loaded with the first question, not before: a start would pay for them.
 * A runtime image without the modules {@code java.management} and {@code jdk.management} knows nothing.
 */
final class JvmVitals implements Vitals {
    private static final boolean KNOWN = isPresent("java.management") && isPresent("jdk.management");

    private static boolean isPresent(String module) {
        return ModuleLayer.boot().findModule(module).isPresent();
    }

    @Override
    public long cpuNanos() {
        return KNOWN ? Beans.cpuNanos() : -1;
    }

    @Override
    public int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    @Override
    public long pauseMillis() {
        return KNOWN ? Beans.pauseMillis() : -1;
    }

    @Override
    public double heapAfterCollection() {
        return KNOWN ? Beans.heapAfterCollection() : -1;
    }

    private static final class Beans {
        static long cpuNanos() {
            return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                    ? system.getProcessCpuTime()
                    : -1;
        }

        static long pauseMillis() {
            long millis = 0;
            for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                if (stopsTheApp(collector.getName())) {
                    millis += Math.max(0, collector.getCollectionTime());
                }
            }
            return millis;
        }

        /** ZGC and Shenandoah have a bean for pauses and one for whole cycles, G1 from 20 on one for what it does concurrently. */
        private static boolean stopsTheApp(String collector) {
            return !collector.contains("Cycles") && !collector.contains("Concurrent");
        }

        static double heapAfterCollection() {
            long used = 0;
            for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
                MemoryUsage left = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
                used += left == null ? 0 : left.getUsed();
            }
            return used / (double) Runtime.getRuntime().maxMemory();
        }
    }
}
