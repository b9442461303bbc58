package io.weft.it.harness;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.support.AnnotationConsumer;
import org.junit.jupiter.params.support.ParameterDeclarations;

/**
 * Runs a test once for each JDK of {@link Jdks#matrix}; its parameter is a {@link Jdk}. With {@link #libraries}, once for each
 * JDK and library; the parameters are a {@link Jdk} and a {@link Library}.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(name = "{arguments}")
@ArgumentsSource(EveryJdk.Matrix.class)
public @interface EveryJdk {

    /** Names as in {@link Library#named}. */
    String[] libraries() default {};

    final class Matrix implements ArgumentsProvider, AnnotationConsumer<EveryJdk> {
        private String[] libraries;

        @Override
        public void accept(EveryJdk annotation) {
            libraries = annotation.libraries();
        }

        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            if (libraries.length == 0) {
                return Jdks.matrix().stream().map(Arguments::of);
            }
            return Jdks.matrix().stream().flatMap(jdk -> Stream.of(libraries).map(name -> Arguments.of(jdk, Library.named(name))));
        }
    }
}
