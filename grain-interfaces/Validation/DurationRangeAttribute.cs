using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>Bounds of a duration, both inclusive, in the wire's own form (<c>"0s"</c>, <c>"3600s"</c>).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationRangeAttribute(string min, string max) : ValidationAttribute
{
    private readonly TimeSpan least = Parse(min), most = Parse(max);

    public override bool IsValid(object? value) => value is not TimeSpan duration || (duration >= least && duration <= most);

    public override string FormatErrorMessage(string name) => $"Must be between {min} and {max}.";

    private static TimeSpan Parse(string text)
        => DurationConverter.TryParse(text, out var value) ? value : throw new ArgumentException($"'{text}' is not a duration.");
}
