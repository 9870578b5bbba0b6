using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>An absolute URL of one of these schemes, with a host and without credentials. A <c>{{template}}</c> in it is checked once it is filled.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WireUrlAttribute(params string[] schemes) : ValidationAttribute
{
    public override bool IsValid(object? value)
        => value is not string text || text.Contains("{{", StringComparison.Ordinal)
           || (Uri.TryCreate(text, UriKind.Absolute, out var url) && schemes.Contains(url.Scheme, StringComparer.Ordinal)
               && url.Host.Length > 0 && url.UserInfo.Length == 0);

    public override string FormatErrorMessage(string name) => $"Enter a valid URL ({string.Join(" or ", schemes)}).";
}
