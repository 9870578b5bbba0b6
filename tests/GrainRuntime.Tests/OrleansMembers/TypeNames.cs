using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace VoiceGrains.GrainRuntime.Tests.OrleansMembers;

/// <summary>Spells a type of a metadata signature as C# would, with full names and without assemblies.</summary>
internal sealed class TypeNames : ISignatureTypeProvider<string, TypeNames.Scope>
{
    internal readonly record struct Scope(ImmutableArray<string> Type, ImmutableArray<string> Method);

    public string Of(MetadataReader reader, EntityHandle handle, Scope scope) => handle.Kind switch
    {
        HandleKind.TypeDefinition => GetTypeFromDefinition(reader, (TypeDefinitionHandle)handle, 0),
        HandleKind.TypeReference => GetTypeFromReference(reader, (TypeReferenceHandle)handle, 0),
        _ => GetTypeFromSpecification(reader, scope, (TypeSpecificationHandle)handle, 0),
    };

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => $"System.{typeCode}";

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        var type = reader.GetTypeDefinition(handle);
        return type.GetDeclaringType().IsNil
            ? Join(reader.GetString(type.Namespace), reader.GetString(type.Name))
            : $"{GetTypeFromDefinition(reader, type.GetDeclaringType(), 0)}.{reader.GetString(type.Name)}";
    }

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        var type = reader.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, 0)}.{reader.GetString(type.Name)}"
            : Join(reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    public string GetTypeFromSpecification(MetadataReader reader, Scope genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments)
    {
        var tick = genericType.IndexOf('`', StringComparison.Ordinal);
        return $"{(tick < 0 ? genericType : genericType[..tick])}<{string.Join(", ", typeArguments)}>";
    }

    public string GetGenericMethodParameter(Scope genericContext, int index) => genericContext.Method[index];

    public string GetGenericTypeParameter(Scope genericContext, int index) => genericContext.Type[index];

    public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{new string(',', shape.Rank - 1)}]";

    public string GetSZArrayType(string elementType) => $"{elementType}[]";

    public string GetByReferenceType(string elementType) => $"ref {elementType}";

    public string GetPointerType(string elementType) => $"{elementType}*";

    public string GetPinnedType(string elementType) => elementType;

    public string GetFunctionPointerType(MethodSignature<string> signature) => $"delegate*<{string.Join(", ", signature.ParameterTypes)}, {signature.ReturnType}>";

    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => $"{unmodifiedType} {(isRequired ? "modreq" : "modopt")}({modifier})";

    private static string Join(string space, string name) => space.Length == 0 ? name : $"{space}.{name}";
}
