using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using VoiceGrains.Providers.Language.Rules;
using VoiceGrains.Providers.OpenAi;
using VoiceGrains.Providers.Recognition.Pocketsphinx;
using VoiceGrains.Providers.Scripted;
using VoiceGrains.Providers.Synthesis.Espeak;
using VoiceGrains.Providers.Synthesis.Flite;

namespace VoiceGrains.Providers.Catalog;

/// <summary>Reads configuration into <see cref="ProviderSettings"/>. Each provider's section is bound to the options of its own type; an unknown key is a mistake.</summary>
internal static class ProviderSettingsReader
{
    public static void Read(IConfiguration configuration, ProviderSettings settings)
    {
        foreach (var builtIn in Enum.GetValues<ProviderType>().Where(t => t != ProviderType.OpenAi))
            ReadProvider(configuration.GetSection($"Providers:{builtIn.ToString().ToLowerInvariant()}"), settings);
        foreach (var section in configuration.GetSection("Providers").GetChildren())
            ReadProvider(section, settings);
        settings.Models = Bind<ModelSettings>(configuration.GetSection("Models"), settings);
        settings.Recognizers = Bind<RecognizerSettings>(configuration.GetSection("Recognizers"), settings);
        settings.Voices = Bind<VoiceSettings>(configuration.GetSection("Voices"), settings);
    }

    private static void ReadProvider(IConfigurationSection section, ProviderSettings settings)
    {
        if (settings.Providers.ContainsKey(section.Key)) return;
        var name = section["Type"] ?? section.Key;
        if (!Enum.TryParse<ProviderType>(name, ignoreCase: true, out var type) || !Enum.IsDefined(type))
        {
            settings.Problems.Add($"{section.Path}:Type '{name}' is not one of {string.Join(", ", Enum.GetNames<ProviderType>())}.");
            return;
        }
        settings.Providers[section.Key] = new(section.Key, type)
        {
            Rules = type == ProviderType.Rules ? Bind<RulesModelOptions>(section, settings) : null,
            Scripted = type == ProviderType.Scripted ? Bind<ScriptedOptions>(section, settings) : null,
            OpenAi = type == ProviderType.OpenAi ? Bind<OpenAiOptions>(section, settings) : null,
            Espeak = type == ProviderType.Espeak ? Bind<EspeakOptions>(section, settings) : null,
            Flite = type == ProviderType.Flite ? Bind<FliteOptions>(section, settings) : null,
            Pocketsphinx = type == ProviderType.Pocketsphinx ? Bind<PocketsphinxOptions>(section, settings) : null,
        };
    }

    private static T Bind<T>(IConfigurationSection section, ProviderSettings settings) where T : new()
    {
        var options = new T();
        try
        {
            foreach (var child in section.GetChildren().Where(c => c.Key != "Type" && typeof(T).GetProperty(c.Key, IgnoreCase) is null))
                settings.Problems.Add($"{child.Path} is not a setting of this section.");
            section.Bind(options);
            var mistakes = new List<ValidationResult>();
            Validator.TryValidateObject(options, new ValidationContext(options), mistakes, validateAllProperties: true);
            settings.Problems.AddRange(mistakes.Select(m => $"{section.Path}: {m.ErrorMessage}"));
        }
        catch (InvalidOperationException exception)   // a value of the wrong kind; the message names its path
        {
            settings.Problems.Add(exception.Message);
        }
        return options;
    }

    private const System.Reflection.BindingFlags IgnoreCase =
        System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.IgnoreCase;
}
