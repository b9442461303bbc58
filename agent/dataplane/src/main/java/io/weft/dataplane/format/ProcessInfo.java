package io.weft.dataplane.format;

import io.weft.dataplane.Randomness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What formats ask of the process.
 *
 * @param hostName asked once for each format that has it
 * @param clock the time of day
 */
public record ProcessInfo(
        Map<String, String> environment, Supplier<String> hostName, InstantSource clock, ZoneId zone, Randomness randomness) {

    public static ProcessInfo ofThisProcess(InstantSource clock, Randomness randomness) {
        return new ProcessInfo(
                System.getenv(), ProcessInfo::systemHostName, clock, ZoneId.systemDefault(), randomness);
    }

    /** Without a name service, which could block. */
    private static String systemHostName() {
        for (String variable : new String[] {"HOSTNAME", "COMPUTERNAME"}) {
            String name = System.getenv(variable);
            if (name != null && !name.isEmpty()) {
                return name;
            }
        }
        for (String file : new String[] {"/proc/sys/kernel/hostname", "/etc/hostname"}) {
            try {
                String name = Files.readString(Path.of(file), StandardCharsets.UTF_8).strip();
                if (!name.isEmpty()) {
                    return name;
                }
            } catch (IOException e) {
                // not this kind of system: the next place may have it
                continue;
            }
        }
        return null;
    }
}
