using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Tools;

/// <summary>The values that a tool is invoked with: the model's arguments, overrides, static and automatic ones.</summary>
internal static class ToolParameters
{
    /// <summary>All values of an invocation and where each goes.</summary>
    public static IEnumerable<(ParameterLocation Location, string Name, JsonNode? Value)> All(Invocation invocation, ToolContext context)
    {
        var (tool, definition) = (invocation.Tool, invocation.Tool.Definition);
        foreach (var parameter in definition.DynamicParameters)
        {
            if (tool.ParameterOverrides.TryGetValue(parameter.Name!, out var fixedValue)) yield return (At(parameter.Location), parameter.Name!, fixedValue?.DeepClone());
            else if (invocation.Arguments.TryGetPropertyValue(parameter.Name!, out var given)) yield return (At(parameter.Location), parameter.Name!, given?.DeepClone());
        }
        foreach (var parameter in definition.StaticParameters)
        {
            var value = tool.SecretParameters.TryGetValue(parameter.Name!, out var secret) ? secret : parameter.Value;
            yield return (At(parameter.Location), parameter.Name!, value?.DeepClone());
        }
        foreach (var parameter in definition.AutomaticParameters) yield return (At(parameter.Location), parameter.Name!, context[parameter.KnownValue ?? KnownParameter.Unspecified]);
    }

    /// <summary>Everything that a tool which takes one object receives: one at the client, at a data connection, or in a request's body.</summary>
    public static JsonObject Body(Invocation invocation, ToolContext context)
    {
        var body = new JsonObject();
        foreach (var (_, name, value) in All(invocation, context)) Put(body, name, value);
        return body;
    }

    /// <summary>
    /// Sets a field. A name with dots leads into nested objects: <c>customer.name</c> and <c>customer.phone</c> make <c>{"customer":{"name":…,"phone":…}}</c>.
    /// Where a part of it is empty, or is the name of something else than an object, the whole is taken for a plain name.
    /// </summary>
    public static void Put(JsonObject body, string name, JsonNode? value)
    {
        var parts = name.Split('.');
        var at = parts.Length > 1 && Array.TrueForAll(parts, part => part.Length > 0) ? Descend(body, parts.AsSpan(0, parts.Length - 1)) : null;
        if (at is null) body[name] = value;
        else at[parts[^1]] = value;
    }

    private static JsonObject? Descend(JsonObject from, ReadOnlySpan<string> parts)
    {
        if (parts.IsEmpty) return from;
        if (!from.TryGetPropertyValue(parts[0], out var below)) from[parts[0]] = below = new JsonObject();
        return below is JsonObject next ? Descend(next, parts[1..]) : null;
    }

    private static ParameterLocation At(ParameterLocation? location) => location ?? ParameterLocation.Unspecified;
}
