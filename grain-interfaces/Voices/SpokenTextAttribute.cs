using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace VoiceGrains.GrainInterfaces.Voices;

/// <summary>A request body in which some string holds <c>{text}</c>: without it every utterance would sound the same.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SpokenTextAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => value switch
    {
        null => true,
        JsonObject fields => fields.Any(field => Holds(field.Value)),
        _ => false,
    };

    public override string FormatErrorMessage(string name) => "Some string in it must hold the placeholder {text}.";

    private static bool Holds(JsonNode? node) => node switch
    {
        JsonObject fields => fields.Any(field => Holds(field.Value)),
        JsonArray items => items.Any(Holds),
        JsonValue value => value.TryGetValue<string>(out var text) && text.Contains("{text}", StringComparison.Ordinal),
        _ => false,
    };
}
