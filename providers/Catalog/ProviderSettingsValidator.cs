using Microsoft.Extensions.Options;
using VoiceGrains.Providers.OpenAi;

namespace VoiceGrains.Providers.Catalog;

/// <summary>Finds every mistake of the provider settings at once.</summary>
internal sealed class ProviderSettingsValidator : IValidateOptions<ProviderSettings>
{
    public ValidateOptionsResult Validate(string? name, ProviderSettings options)
    {
        List<string> problems = [.. options.Problems];
        CheckTarget(options, "Models:Target", options.Models.Target, problems, LanguageTypes);
        foreach (var (alias, target) in options.Models.Aliases)
            CheckTarget(options, $"Models:Aliases:{alias}", target, problems, LanguageTypes);
        if (!DocumentedModels.Aliases.Append("rules").Concat(options.Models.Aliases.Keys).Contains(options.Models.Default, StringComparer.OrdinalIgnoreCase))
            problems.Add($"Models:Default '{options.Models.Default}' is not an alias.");

        CheckTarget(options, "Recognizers:Default", options.Recognizers.Default, problems, RecognizerTypes);
        foreach (var (language, target) in options.Recognizers.Languages)
            CheckTarget(options, $"Recognizers:Languages:{language}", target, problems, RecognizerTypes);

        if (options.Voices.Target is { } all) CheckTarget(options, "Voices:Target", all, problems, [ProviderType.Scripted]);
        foreach (var (voice, entry) in options.Voices.Add)
            CheckTarget(options, $"Voices:Add:{voice}:Target", entry.Target, problems, VoiceTypes);
        foreach (var (setting, voice) in (ReadOnlySpan<(string, string?)>)[("Default", options.Voices.Default), ("Fallback", options.Voices.Fallback)])
        {
            if (voice is not null && !BuiltInVoices.All.Select(v => v.Name).Concat(options.Voices.Add.Keys).Contains(voice, StringComparer.OrdinalIgnoreCase))
                problems.Add($"Voices:{setting} '{voice}' is not the name of a voice.");
        }

        foreach (var entry in options.Providers.Values)
        {
            if (entry.Scripted is { } scripted && scripted.WordsPerMinute is < 10 or > 2000)
                problems.Add($"Providers:{entry.Name}:WordsPerMinute must be between 10 and 2000.");
            if (entry.OpenAi is { BaseUrl.Length: > 0 } openAi) CheckOpenAi($"Providers:{entry.Name}", openAi, problems);
        }
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static readonly ProviderType[] LanguageTypes = [ProviderType.Rules, ProviderType.Scripted, ProviderType.OpenAi];
    private static readonly ProviderType[] RecognizerTypes = [ProviderType.Scripted, ProviderType.OpenAi, ProviderType.Pocketsphinx];
    private static readonly ProviderType[] VoiceTypes = [ProviderType.Scripted, ProviderType.OpenAi, ProviderType.Flite, ProviderType.Espeak];

    private static void CheckOpenAi(string key, OpenAiOptions options, List<string> problems)
    {
        if (!Uri.TryCreate(options.BaseUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            problems.Add($"{key}:BaseUrl must be an absolute http or https URL.");
        if (options.FirstOutputTimeout <= TimeSpan.Zero || options.StallTimeout <= TimeSpan.Zero || options.RequestTimeout < options.FirstOutputTimeout)
            problems.Add($"{key}: timeouts must be above zero, and RequestTimeout at least FirstOutputTimeout.");
    }

    private static void CheckTarget(ProviderSettings options, string key, string target, List<string> problems, ProviderType[] allowed)
    {
        var (provider, model) = ProviderTarget.Parse(target);
        if (!options.Providers.TryGetValue(provider, out var entry)) problems.Add($"{key} names the provider '{provider}', which is not in Providers.");
        else if (!allowed.Contains(entry.Type)) problems.Add($"{key} names the provider '{provider}', which is of type {entry.Type} and cannot do this.");
        else if (entry.Type == ProviderType.OpenAi && model.Length == 0) problems.Add($"{key} '{target}' must name a model too, as in '{provider}/model'.");
    }
}
