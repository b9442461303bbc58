package io.weft.policy.parse;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Whatever a control plane sends is accepted or refused: nothing is thrown, nothing hangs, nothing grows without bound. The fuzzer
 * goes on looking with {@code JAZZER_FUZZ=1 mvn -pl policy-client -am test -Dtest=ParserFuzzTest#anyBytes
 * -Dsurefire.failIfNoSpecifiedTests=false}; here it tries what it once found, and mutants of good resources.
 */
class ParserFuzzTest {
    private static final int MUTANTS = 10_000;

    private record Good(ResourceType type, byte[] bytes) {}

    /** Resources with each field of each message that the parser reads set once. */
    private static final List<Good> GOOD = Stream.of(EveryFieldDecidedTest.subjects(), EveryFieldDecidedTest.security(),
                    EveryFieldDecidedTest.accessLogs())
            .flatMap(subjects -> subjects)
            .map(subject -> good(subject.resource().apply(subject.base())))
            .toList();

    private static Good good(MessageLite resource) {
        String name = ApiMessages.name(resource.getClass());
        ResourceType type = ResourceType.of("type.googleapis.com/" + name).orElseThrow();
        return new Good(type, resource.toByteArray());
    }

    private static void parse(ResourceType type, byte[] bytes) {
        assertThat(ResourceParser.parse(new RawResource(type, "", "1", ByteString.copyFrom(bytes)))).isNotNull();
    }

    @FuzzTest(maxDuration = "10m")
    void anyBytes(FuzzedDataProvider data) {
        ResourceType type = data.pickValue(ResourceType.values());
        parse(type, data.consumeRemainingAsBytes());
    }

    @FuzzTest(maxDuration = "10m")
    void mutantsAsTheFuzzerWants(FuzzedDataProvider data) {
        Good good = data.pickValue(GOOD);
        List<Byte> bytes = list(good.bytes());
        while (data.remainingBytes() > 0 && !bytes.isEmpty()) {
            int at = data.consumeInt(0, bytes.size() - 1);
            switch (data.consumeInt(0, 2)) {
                case 0 -> bytes.set(at, data.consumeByte());
                case 1 -> bytes.add(at, data.consumeByte());
                default -> bytes.remove(at);
            }
        }
        parse(good.type(), array(bytes));
    }

    @Test
    @Timeout(120)
    void mutantsOfGoodResources() {
        Random random = new Random(23);
        for (int i = 0; i < MUTANTS; i++) {
            Good good = GOOD.get(random.nextInt(GOOD.size()));
            List<Byte> bytes = list(good.bytes());
            for (int changes = 1 + random.nextInt(4); changes > 0 && !bytes.isEmpty(); changes--) {
                mutate(bytes, random);
            }
            parse(good.type(), array(bytes));
        }
    }

    private static void mutate(List<Byte> bytes, Random random) {
        int at = random.nextInt(bytes.size());
        switch (random.nextInt(5)) {
            case 0 -> bytes.set(at, (byte) random.nextInt());
            case 1 -> bytes.set(at, (byte) (bytes.get(at) ^ 1 << random.nextInt(8)));
            case 2 -> bytes.add(at, (byte) random.nextInt());
            case 3 -> bytes.remove(at);
            default -> {
                // A piece of another resource.
                byte[] other = GOOD.get(random.nextInt(GOOD.size())).bytes();
                int from = random.nextInt(other.length);
                bytes.addAll(at, list(java.util.Arrays.copyOfRange(other, from, Math.min(other.length, from + random.nextInt(40)))));
            }
        }
    }

    private static List<Byte> list(byte[] bytes) {
        List<Byte> list = new ArrayList<>(bytes.length);
        for (byte b : bytes) {
            list.add(b);
        }
        return list;
    }

    private static byte[] array(List<Byte> list) {
        byte[] bytes = new byte[list.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = list.get(i);
        }
        return bytes;
    }
}
