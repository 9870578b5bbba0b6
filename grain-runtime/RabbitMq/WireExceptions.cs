using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Orleans;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>
/// Carries exceptions between processes: type name, message, and the public properties that the type itself declares. Only exception types of
/// the base library, of this runtime and of the grains' and contracts' assemblies are made; anything else arrives as a
/// <see cref="RemoteGrainException"/>, so that a message cannot make a process construct what it likes.
/// </summary>
internal sealed class WireExceptions(IEnumerable<GrainAssembly> grains)
{
    private readonly ConcurrentDictionary<string, Type?> _types = new();
    private readonly Lazy<Assembly[]> _assemblies = new(() => [.. grains.SelectMany(source => Trusted(source.Assembly)).Append(typeof(Grain).Assembly).Distinct()]);

    public static void Write(Utf8JsonWriter writer, Exception exception, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("type", (exception as RemoteGrainException)?.TypeName ?? exception.GetType().FullName);
        writer.WriteString("message", exception.Message);
        writer.WriteStartObject("properties");
        foreach (var property in Properties(exception.GetType()))
            WriteProperty(writer, property, exception, options);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    public Exception Read(ReadOnlySpan<byte> json, JsonSerializerOptions options)
    {
        var reader = new Utf8JsonReader(json);
        using var document = JsonDocument.ParseValue(ref reader);
        var name = document.RootElement.GetProperty("type").GetString() ?? "";
        var message = document.RootElement.GetProperty("message").GetString() ?? "";
        try
        {
            if (_types.GetOrAdd(name, Find) is { } type && Make(type, message, document.RootElement.GetProperty("properties"), options) is { } exception)
                return exception;
        }
        catch (Exception exception) when (exception is JsonException or TargetInvocationException or NotSupportedException or ArgumentException or MemberAccessException)
        {
            // Another version of the type: what is left of it follows.
        }
        return new RemoteGrainException(name, message);
    }

    // A property that cannot be written is left out: the exception must arrive.
    private static void WriteProperty(Utf8JsonWriter writer, PropertyInfo property, Exception exception, JsonSerializerOptions options)
    {
        JsonElement value;
        try
        {
            value = JsonSerializer.SerializeToElement(property.GetValue(exception), property.PropertyType, options);
        }
        catch (Exception failure) when (failure is NotSupportedException or JsonException or TargetInvocationException or InvalidOperationException)
        {
            return;
        }
        writer.WritePropertyName(property.Name);
        value.WriteTo(writer);
    }

    private static IEnumerable<PropertyInfo> Properties(Type type) => type
        .GetProperties(BindingFlags.Instance | BindingFlags.Public)
        .Where(property => property.CanRead && property.DeclaringType != typeof(Exception) && property.GetIndexParameters().Length == 0
            && property.Name != nameof(Exception.Message) && !typeof(Exception).IsAssignableFrom(property.PropertyType));

    private static IEnumerable<Assembly> Trusted(Assembly assembly) => assembly.GetReferencedAssemblies()
        .Where(reference => reference.Name!.Split('.')[0] == assembly.GetName().Name!.Split('.')[0])
        .Select(Assembly.Load).Append(assembly);

    private Type? Find(string name)
    {
        var type = typeof(Exception).Assembly.GetType(name) ?? typeof(JsonException).Assembly.GetType(name)
            ?? _assemblies.Value.Select(assembly => assembly.GetType(name)).FirstOrDefault(found => found is not null);
        return type is { IsAbstract: false, ContainsGenericParameters: false } && type.IsAssignableTo(typeof(Exception)) ? type : null;
    }

    // The constructor that takes most, each parameter by the name of a property or as the message.
    private static Exception? Make(Type type, string message, JsonElement properties, JsonSerializerOptions options)
    {
        var constructors = type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .OrderByDescending(constructor => constructor.GetParameters().Length);
        foreach (var constructor in constructors)
        {
            var arguments = constructor.GetParameters().Select(parameter => Argument(parameter, message, properties, options)).ToArray();
            if (Array.Exists(arguments, argument => argument is null))
                continue;
            var exception = (Exception)constructor.Invoke([.. arguments.Select(argument => argument!.Value)]);
            foreach (var property in Properties(type))
            {
                if (property.SetMethod is not null && properties.TryGetProperty(property.Name, out var value))
                    property.SetValue(exception, value.Deserialize(property.PropertyType, options));
            }
            MessageOf(exception) = message;     // as it was there, whatever the constructor makes of its arguments
            return exception;
        }
        return null;
    }

    private static StrongBox<object?>? Argument(ParameterInfo parameter, string message, JsonElement properties, JsonSerializerOptions options)
    {
        foreach (var property in properties.EnumerateObject())
        {
            if (string.Equals(property.Name, parameter.Name, StringComparison.OrdinalIgnoreCase))
                return new(property.Value.Deserialize(parameter.ParameterType, options));
        }
        if (parameter.ParameterType == typeof(string) && parameter.Name is "message" or "msg" or "errorMsg" or "detail" or "text")
            return new(message);
        return null;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_message")]
    private static extern ref string? MessageOf(Exception exception);
}
