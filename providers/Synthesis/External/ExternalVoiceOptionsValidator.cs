using Microsoft.Extensions.Options;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>Finds every mistake of the section <c>ExternalVoices</c> at once.</summary>
internal sealed class ExternalVoiceOptionsValidator : IValidateOptions<ExternalVoiceOptions>
{
    private static readonly string[] Schemes = ["ws", "wss", "http", "https"];

    public ValidateOptionsResult Validate(string? name, ExternalVoiceOptions options)
    {
        var problems = new List<string>();
        foreach (var (section, provider) in options.All)
        {
            var key = $"ExternalVoices:{section}";
            if (!Uri.TryCreate(provider.BaseUrl, UriKind.Absolute, out var url) || !Schemes.Contains(url.Scheme) || url.Query.Length > 0)
                problems.Add($"{key}:BaseUrl must be an absolute {string.Join(", ", Schemes)} URL without a query.");
            foreach (var (setting, limit) in (ReadOnlySpan<(string, TimeSpan)>)[
                (nameof(provider.ConnectTimeout), provider.ConnectTimeout), (nameof(provider.FirstSoundTimeout), provider.FirstSoundTimeout), (nameof(provider.StallTimeout), provider.StallTimeout)])
            {
                if (limit <= TimeSpan.Zero || limit > TimeSpan.FromMinutes(10)) problems.Add($"{key}:{setting} must be above 0 and at most 10 min.");
            }
            if (provider.MaxMessageBytes is < 64 * 1024 or > 256 * 1024 * 1024) problems.Add($"{key}:{nameof(provider.MaxMessageBytes)} must be between 64 KiB and 256 MiB.");
        }
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
