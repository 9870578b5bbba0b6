namespace VoiceGrains.GrainInterfaces;

/// <summary>On a property: its value is encrypted wherever grain state is stored. Says nothing about answers, which must leave it out themselves.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
