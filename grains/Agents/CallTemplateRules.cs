using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Grains.Agents;

/// <summary>What a template must fulfil beyond its shape: the voice, model and tools that it names exist, its schema and its templates can be used.</summary>
public sealed partial class CallTemplateRules(AccountVoices voices, ILanguageModelCatalog models, ToolSelection tools)
{
    /// <summary>Of an agent's template: strings with <c>{{variables}}</c> are checked as templates, and for what they hold once a call fills them.</summary>
    public async Task CheckAgentAsync(string accountId, CallTemplate template, InputErrors errors, CancellationToken cancellationToken)
    {
        if (template.ContextSchema is { } schema && ContextSchema.Problem(schema) is { } problem) errors.Field("contextSchema").Add(problem);
        TemplateFiller.CheckTemplates(template, errors);
        await CheckAsync(accountId, template, errors, areTemplates: true, cancellationToken);
    }

    /// <summary>Of a call: nothing is a template any more. Gives the call's tools.</summary>
    public async Task<IReadOnlyList<CallTool>> CheckCallAsync(string accountId, CallTemplate template, InputErrors errors, CancellationToken cancellationToken)
        => await CheckAsync(accountId, template, errors, areTemplates: false, cancellationToken);

    private async Task<IReadOnlyList<CallTool>> CheckAsync(
        string accountId, CallTemplate template, InputErrors errors, bool areTemplates, CancellationToken cancellationToken)
    {
        if (IsFilled(template.Model) && !models.TryResolve(template.Model, out _)) errors.Field("model").Add($"Model '{JsonLeaf.Shorten(template.Model!)}' does not exist.");
        await voices.CheckAsync(accountId, new(template.Voice, template.ExternalVoice, template.VoiceOverrides), errors, cancellationToken);
        if (IsFilled(template.LanguageHint) && !LanguageCode().IsMatch(template.LanguageHint!)) errors.Field("languageHint").Add("Enter a BCP 47 language code, such as \"en\" or \"pt-BR\".");
        if (IsFilled(template.DataConnection?.WebsocketUrl) && !new WireUrlAttribute("wss", "ws").IsValid(template.DataConnection!.WebsocketUrl))
            errors.Field("dataConnection").Field("websocketUrl").Add("Enter a valid URL (wss or ws).");
        return await tools.ResolveAsync(accountId, template.SelectedTools, errors.Field("selectedTools"), cancellationToken, areTemplates);
    }

    /// <summary>Empty text is as good as none, and text with a variable is not known yet.</summary>
    private static bool IsFilled(string? text) => !string.IsNullOrEmpty(text) && !text.Contains("{{", StringComparison.Ordinal);

    [GeneratedRegex("^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$", RegexOptions.CultureInvariant)]
    private static partial Regex LanguageCode();
}
